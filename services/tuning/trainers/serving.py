"""A trained model at an endpoint of SageMaker: the untrained model on an instance, and the adapter that sits on it.

In: a trained model's intent, base and folder of weights. Out: where it answers, once it does. Each call takes one step
of: model, configuration and endpoint; the component of the base; the component that answers. All but the base's have
the intent as their name, so that each is looked up before it is made. Where the student itself is asked at a component
of an endpoint, the adapter goes there, and no further instance runs. A model whose weights were all trained has no
base, and is a component of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from distillations.job import JobFailure
from foundation import aws
from foundation.settings import settings
from providers.registry import configured
from tuning.trainers import at_aws, idle
from tuning.trainers.recipe import Hosting, hosting_of
from tuning.trainers.trainer import Deployment, Trained, TrainerAway, TrainerRefused, state_of

PROVIDER = "sagemaker"
"""The kind of provider that serves these models, which is there in the stack's region without being added."""
MERGED = "checkpoints/hf_merged/"
"""Where the weights lie among a job's artifacts, if all of them were trained."""
ADAPTER = "checkpoints/hf/"
"""Where the adapter lies, if one was trained."""
_VARIANT = "all"
_COMPONENT = re.compile(r"/endpoints/([^/]+)/inference-components/([^/]+)/openai/v1/?$")
_LEAST_MEMORY_MB = 1024
_WAITS, _ANSWERS, _FAILED = "waits", "answers", "failed"
_ENDPOINT = {
    "Creating": _WAITS,
    "Updating": _WAITS,
    "SystemUpdating": _WAITS,
    "RollingBack": _WAITS,
    "Deleting": _WAITS,
    "InService": _ANSWERS,
    "OutOfService": _FAILED,
    "Failed": _FAILED,
    "UpdateRollbackFailed": _FAILED,
}
_COMPONENTS = {"Creating": _WAITS, "Updating": _WAITS, "Deleting": _WAITS, "InService": _ANSWERS, "Failed": _FAILED}


class _Seen(NamedTuple):
    """An endpoint or a component as it stands. An endpoint that `sleeps` may scale to zero."""

    endpoint: str
    stands: str
    failure: str
    sleeps: bool = False


class _Place(NamedTuple):
    """An endpoint, and its component of the base."""

    endpoint: str
    base: str


def serve(trained: Trained) -> Deployment:
    """Take the next step to a component that answers; it is `ready` when there is none left."""
    component = _component(trained.intent)
    if component:
        if component.stands == _ANSWERS and component.endpoint == trained.intent:
            idle.allow(trained.intent if _is_merged(trained) else _base(trained.intent), trained.intent)
        return _deployment(component, trained.intent)
    shared = _shared(trained)
    if shared:
        _put_on(trained, shared)
        return Deployment(_name(shared.endpoint, trained.intent), PROVIDER)
    return _own(trained)


def remove(intent: str) -> None:
    """Delete all that was made for an intent, what answers first. Raises TrainerAway until all of it is gone."""
    components = [intent, _base(intent)]
    endpoint = _endpoint(intent)
    if endpoint and endpoint.sleeps:
        idle.remove(components)
    for name in components:
        delete = partial(aws.sagemaker().delete_inference_component, InferenceComponentName=name)
        _remove(partial(_component, name), delete, f"component {name}")
    _remove(
        partial(_endpoint, intent), partial(aws.sagemaker().delete_endpoint, EndpointName=intent), f"endpoint {intent}"
    )
    with at_aws.gone():
        aws.sagemaker().delete_endpoint_config(EndpointConfigName=intent)
    with at_aws.gone():
        aws.sagemaker().delete_model(ModelName=intent)


def _remove(look: Callable[[], _Seen | None], delete: Callable[[], Any], what: str) -> None:
    seen = look()
    if seen is None:
        return
    if seen.stands == _WAITS:
        raise TrainerAway(f"SageMaker is still at work on the {what}")
    with at_aws.gone():
        delete()
    if look():
        raise TrainerAway(f"SageMaker still deletes the {what}")


def _own(trained: Trained) -> Deployment:
    """Take a step of an endpoint that this model has for itself."""
    waiting = Deployment(_name(trained.intent, trained.intent), PROVIDER)
    endpoint = _endpoint(trained.intent)
    if endpoint is None:
        _make_endpoint(trained, _hosting(trained))
        return waiting
    if endpoint.stands != _ANSWERS:
        return _deployment(endpoint, trained.intent)
    if _is_merged(trained):
        _make_component(trained.intent, trained, _hosting(trained))
        return waiting
    base = _component(_base(trained.intent))
    if base is None:
        _make_component(_base(trained.intent), trained, _hosting(trained))
    elif base.stands != _ANSWERS:
        return _deployment(base, trained.intent)
    else:
        _put_on(trained, _Place(trained.intent, _base(trained.intent)))
    return waiting


def _make_endpoint(trained: Trained, hosting: Hosting) -> None:
    role = settings().TRAINING_ROLE_ARN
    source: dict[str, Any] = {"S3DataType": "S3Prefix", "CompressionType": "None"}
    source["S3Uri"] = trained.artifact if _is_merged(trained) else hosting.weights
    if hosting.licensed and not _is_merged(trained):
        source["ModelAccessConfig"] = {"AcceptEula": True}
    container = {
        "Image": hosting.image,
        "Environment": hosting.environment,
        "ModelDataSource": {"S3DataSource": source},
    }
    variant = {
        "VariantName": _VARIANT,
        "InstanceType": hosting.instance_type,
        "InitialInstanceCount": 1,
        **idle.instances(),
    }
    with at_aws.there():
        aws.sagemaker().create_model(ModelName=trained.intent, ExecutionRoleArn=role, PrimaryContainer=container)
    with at_aws.there():
        aws.sagemaker().create_endpoint_config(
            EndpointConfigName=trained.intent, ExecutionRoleArn=role, ProductionVariants=[variant]
        )
    with at_aws.there():
        aws.sagemaker().create_endpoint(EndpointName=trained.intent, EndpointConfigName=trained.intent)


def _make_component(name: str, trained: Trained, hosting: Hosting) -> None:
    share: dict[str, Any] = {"MinMemoryRequiredInMb": _LEAST_MEMORY_MB, "NumberOfCpuCoresRequired": hosting.cpus}
    if hosting.accelerators:
        share["NumberOfAcceleratorDevicesRequired"] = hosting.accelerators
    with at_aws.there():
        aws.sagemaker().create_inference_component(
            InferenceComponentName=name,
            EndpointName=trained.intent,
            VariantName=_VARIANT,
            Specification={"ModelName": trained.intent, "ComputeResourceRequirements": share},
            RuntimeConfig={"CopyCount": 1},
        )


def _put_on(trained: Trained, place: _Place) -> None:
    """Put the adapter on the component of its base."""
    with at_aws.there():
        aws.sagemaker().create_inference_component(
            InferenceComponentName=trained.intent,
            EndpointName=place.endpoint,
            Specification={
                "BaseInferenceComponentName": place.base,
                "Container": {"ArtifactUrl": trained.artifact},
            },
        )


def _shared(trained: Trained) -> _Place | None:
    """The component at which the student itself is asked, if it is one of SageMaker in the stack's own region."""
    name = trained.base.partition("/")[0]
    entry = next((known.entry for known in configured() if known.name == name), None)
    if _is_merged(trained) or entry is None or entry.kind != PROVIDER or entry.region not in {None, aws.own_region()}:
        return None
    found = _COMPONENT.search(entry.base_url or "")
    return _Place(found[1], found[2]) if found else None


def _hosting(trained: Trained) -> Hosting:
    model = at_aws.plain(trained.base)
    found = hosting_of(model, full=_is_merged(trained))
    if found is None:
        raise TrainerRefused(f"SageMaker's public hub does not say how '{model}' is served", "not_served")
    return found


def _is_merged(trained: Trained) -> bool:
    return trained.artifact.endswith(MERGED)


def _base(intent: str) -> str:
    return f"{intent}-base"


def _name(endpoint: str, component: str) -> str:
    """A component's name at its provider: its place in the URLs of SageMaker's runtime."""
    return f"endpoints/{endpoint}/inference-components/{component}"


def _deployment(seen: _Seen, intent: str) -> Deployment:
    error = JobFailure(code="deployment_failed", message=seen.failure) if seen.stands == _FAILED else None
    return Deployment(_name(seen.endpoint, intent), PROVIDER, ready=seen.stands == _ANSWERS, error=error)


def _component(name: str) -> _Seen | None:
    with at_aws.gone():
        found = aws.sagemaker().describe_inference_component(InferenceComponentName=name)
        return _seen(found, found["InferenceComponentStatus"], _COMPONENTS, f"component {name}")
    return None


def _endpoint(name: str) -> _Seen | None:
    with at_aws.gone():
        found = aws.sagemaker().describe_endpoint(EndpointName=name)
        return _seen(found, found["EndpointStatus"], _ENDPOINT, f"endpoint {name}")
    return None


def _seen(found: dict[str, Any], status: str, states: Mapping[str, str], what: str) -> _Seen:
    failure = found.get("FailureReason") or f"The {what} is {status}, and SageMaker says no more."
    sleeps = any("ManagedInstanceScaling" in variant for variant in found.get("ProductionVariants", []))
    return _Seen(found["EndpointName"], state_of(states, status, what), failure, sleeps)
