"""What serves models at SageMaker: models, configurations, endpoints, and the inference components on them.

In: AWS's parameters. Out: AWS's documents. A component answers with the lab's model: one of a base with the model that
stands for it, an adapter or merged weights with the one that was trained. What is made and what is deleted takes a
while, a name is there once, and a thing that others stand on is not deleted before them. An endpoint whose variant may
scale to zero is at zero for as long as the controls say.
"""

from __future__ import annotations

from typing import Any

from local.fakes.bedrock.bases import LAB_BASE
from local.fakes.context import Context
from local.fakes.objects import read_weights
from local.fakes.records import Record
from local.fakes.sagemaker.hub import base_of_weights
from local.fakes.wire import AwsError

MODEL, CONFIG, ENDPOINT, COMPONENT = "model", "endpoint-config", "endpoint", "inference-component"
_SAID = {MODEL: "model", CONFIG: "endpoint configuration", ENDPOINT: "endpoint", COMPONENT: "inference component"}
_NAMES = {
    MODEL: "ModelName",
    CONFIG: "EndpointConfigName",
    ENDPOINT: "EndpointName",
    COMPONENT: "InferenceComponentName",
}
_STATUS = {ENDPOINT: "EndpointStatus", COMPONENT: "InferenceComponentStatus"}
_ARNS = {MODEL: "ModelArn", CONFIG: "EndpointConfigArn", ENDPOINT: "EndpointArn", COMPONENT: "InferenceComponentArn"}


class Serving:
    """All four kinds, which stand on each other."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def create_model(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if "ExecutionRoleArn" not in parameters or "PrimaryContainer" not in parameters:
            raise AwsError("ValidationException", "A model needs ExecutionRoleArn and PrimaryContainer.")
        return self._add(MODEL, parameters, parameters)

    def create_config(self, parameters: dict[str, Any]) -> dict[str, Any]:
        for variant in parameters["ProductionVariants"]:
            if "ModelName" not in variant and "ExecutionRoleArn" not in parameters:
                raise AwsError("ValidationException", "An endpoint for inference components needs ExecutionRoleArn.")
            if "ModelName" in variant:
                self.known(MODEL, variant["ModelName"])
        return self._add(CONFIG, parameters, parameters)

    def create_endpoint(self, parameters: dict[str, Any]) -> dict[str, Any]:
        config = self.known(CONFIG, parameters["EndpointConfigName"])
        variants = [
            {
                "VariantName": variant["VariantName"],
                "CurrentInstanceCount": variant["InitialInstanceCount"],
                "DesiredInstanceCount": variant["InitialInstanceCount"],
                **{name: variant[name] for name in ("ManagedInstanceScaling",) if name in variant},
            }
            for variant in config.document["ProductionVariants"]
        ]
        return self._add(ENDPOINT, parameters, {**parameters, "ProductionVariants": variants})

    def create_component(self, parameters: dict[str, Any]) -> dict[str, Any]:
        endpoint = self.known(ENDPOINT, parameters["EndpointName"])
        if endpoint.document["EndpointStatus"] != "InService":
            raise AwsError("ValidationException", f"The endpoint {endpoint.name} is not in service.")
        specification = parameters["Specification"]
        if "BaseInferenceComponentName" in specification:
            base = self.known(COMPONENT, specification["BaseInferenceComponentName"])
            if base.document["InferenceComponentStatus"] != "InService" or _on(base) != endpoint.name:
                raise AwsError("ValidationException", f"The base {base.name} is not in service on {endpoint.name}.")
            own = self._of_weights(specification["Container"]["ArtifactUrl"])
        else:
            for needed, given in (("VariantName", parameters), ("ComputeResourceRequirements", specification)):
                if needed not in given:
                    raise AwsError("ValidationException", f"A component of a model needs {needed}.")
            own = self._of_model(self.known(MODEL, specification["ModelName"]))
        document = {**parameters, "EndpointArn": endpoint.arn}
        if copies := document.pop("RuntimeConfig", None):
            document["RuntimeConfig"] = dict.fromkeys(("DesiredCopyCount", "CurrentCopyCount"), copies["CopyCount"])
        return self._add(COMPONENT, parameters, document, own)

    def describe(self, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return self.known(kind, parameters[_NAMES[kind]]).document

    def delete(self, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self.known(kind, parameters[_NAMES[kind]])
        if above := self._above(record):
            raise AwsError("ValidationException", f"Cannot delete {_SAID[kind]} {record.name}: {above.name} is on it.")
        if kind not in _STATUS:
            self._records.drop(record)
            return {}
        if record.document[_STATUS[kind]] not in {"InService", "Failed"}:
            raise AwsError("ValidationException", f"Cannot delete the in-progress {_SAID[kind]} {record.name}.")
        self._enter(record, "Deleting")
        return {}

    def advance(self, record: Record) -> None:
        """Bring a record to the state that it has by now."""
        status, timing = record.document[_STATUS[record.kind]], self._context.controls.timing
        elapsed = self._records.now() - record.own["since"]
        problem = record.own.get("problem")
        if status == "Creating" and elapsed >= timing.deployment:
            self._enter(record, "Failed" if problem else "InService", **({"FailureReason": problem} if problem else {}))
        elif status == "Deleting" and elapsed >= timing.deletion:
            self._records.drop(record)

    def known(self, kind: str, name: str) -> Record:
        """The one of this name as it stands now. Raises AWS's refusal, a ValidationException, where there is none."""
        record = self._records.find(kind, name)
        if record and kind in _STATUS:
            self.advance(record)
            record = self._records.find(kind, name)
        if record is None:
            raise AwsError("ValidationException", f'Could not find {_SAID[kind]} "{name}".')
        return record

    def lab_model_at(self, endpoint: str, component: str) -> str:
        """The lab's model behind a component. Raises AWS's refusals: nobody there, not yet, or nobody at zero."""
        record = self.known(COMPONENT, component)
        if _on(record) != endpoint or record.document["InferenceComponentStatus"] != "InService":
            raise AwsError("ValidationError", f"Inference component {component} is not in service on {endpoint}.")
        variants = self.known(ENDPOINT, endpoint).document["ProductionVariants"]
        if self._context.controls.at_zero and any("ManagedInstanceScaling" in variant for variant in variants):
            raise AwsError("ValidationError", f"Inference component {component} has no capacity to process requests.")
        model: str = record.own["lab_model"]
        return model

    def _of_model(self, model: Record) -> dict[str, Any]:
        uri = model.document["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"]
        base = base_of_weights(uri)
        return {"lab_model": self._context.controls.bases.get(base, LAB_BASE)} if base else self._of_weights(uri)

    def _of_weights(self, folder: str) -> dict[str, Any]:
        """The lab's model of a folder of weights; what is wrong with it shows when the component has read it."""
        try:
            return {"lab_model": read_weights(self._context.s3, folder)}
        except AwsError as error:
            return {"problem": error.message}

    def _above(self, record: Record) -> Record | None:
        """What stands on a record."""
        for component in self._records.all(COMPONENT):
            base = component.document["Specification"].get("BaseInferenceComponentName")
            if (record.kind, record.name) in {(ENDPOINT, _on(component)), (COMPONENT, base)}:
                return component
        return None

    def _add(
        self, kind: str, parameters: dict[str, Any], document: dict[str, Any], own: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        name, now = parameters[_NAMES[kind]], self._records.now()
        if self._records.find(kind, name):
            raise AwsError("ValidationException", f'Cannot create already existing {_SAID[kind]} "{name}".')
        arn = self._records.arn("sagemaker", f"{kind}/{name.lower()}")
        made = {**document, _ARNS[kind]: arn, "CreationTime": now}
        if kind in _STATUS:
            made |= {_STATUS[kind]: "Creating", "LastModifiedTime": now}
        made.pop("Tags", None)
        self._records.add(Record(kind, arn, name, made, {"since": now, **(own or {})}))
        return {_ARNS[kind]: arn}

    def _enter(self, record: Record, status: str, **fields: Any) -> None:
        now = self._records.now()
        record.own["since"] = now
        record.document |= {_STATUS[record.kind]: status, "LastModifiedTime": now, **fields}
        self._records.keep(record)


def _on(component: Record) -> str:
    name: str = component.document["EndpointName"]
    return name
