"""Serves a model of SageMaker's public hub, untrained, as a component of an endpoint: the student of a training.

`python examples/serve_on_sagemaker.py NAME --model huggingface-reasoning-qwen3-4b --role ARN` makes model,
configuration, endpoint and component, waits until they answer, and prints how the stack is told of them. The role is
one that SageMaker may take; the stack's own has `TrainingRole` in its name. `--delete` deletes all four again. Adapters
that the trainer `sagemaker` makes are put on this component, so its instance serves them, too.

The endpoint costs by the hour until it is deleted. By this command you accept the model's licence.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

HUB = "SageMakerPublicHub"
VARIANT = "all"
LEAST_MEMORY_MB = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a model of SageMaker's hub as a component of an endpoint.")
    parser.add_argument("name", help="the name of endpoint, configuration, model and component")
    parser.add_argument("--model", help="the model's name in SageMaker's public hub")
    parser.add_argument("--role", help="the ARN of a role that SageMaker may take")
    parser.add_argument("--region")
    parser.add_argument("--poll-seconds", type=float, default=15.0)
    parser.add_argument("--delete", action="store_true")
    chosen = parser.parse_args()
    client = boto3.client("sagemaker", region_name=chosen.region)
    if chosen.delete:
        delete(client, chosen.name, chosen.poll_seconds)
        return
    if not chosen.model or not chosen.role:
        parser.error("--model and --role are needed")
    serve(client, chosen.name, chosen.model, chosen.role, chosen.poll_seconds)
    tell(client, chosen.name, chosen.model)


def serve(client: Any, name: str, model: str, role: str, poll_s: float) -> None:
    """Make what serves the model, as its recipe for adapters in the hub says, and wait until it is in service."""
    found = client.describe_hub_content(HubName=HUB, HubContentType="Model", HubContentName=model)
    document = json.loads(found["HubContentDocument"])
    recipes = [recipe for recipe in document["RecipeCollection"] if recipe.get("Peft") and recipe.get("HostingConfigs")]
    hosting = recipes[0]["HostingConfigs"][0] if recipes else document["HostingConfigs"][0]
    source: dict[str, Any] = {"S3DataType": "S3Prefix", "CompressionType": "None"}
    source["S3Uri"] = document["HostingArtifactUri"]
    if document.get("HostingEulaUri"):
        source["ModelAccessConfig"] = {"AcceptEula": True}
    container = {
        "Image": hosting["EcrAddress"],
        "Environment": hosting.get("Environment") or {},
        "ModelDataSource": {"S3DataSource": source},
    }
    instance = hosting.get("InstanceType") or hosting["DefaultInstanceType"]
    variant = {"VariantName": VARIANT, "InstanceType": instance, "InitialInstanceCount": 1}
    client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    client.create_endpoint_config(EndpointConfigName=name, ExecutionRoleArn=role, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait(lambda: client.describe_endpoint(EndpointName=name), "EndpointStatus", poll_s)
    share = hosting.get("ComputeResourceRequirements") or {}
    counted = {
        key: share[key] for key in ("NumberOfAcceleratorDevicesRequired", "NumberOfCpuCoresRequired") if key in share
    }
    client.create_inference_component(
        InferenceComponentName=name,
        EndpointName=name,
        VariantName=VARIANT,
        Specification={
            "ModelName": name,
            "ComputeResourceRequirements": {"MinMemoryRequiredInMb": LEAST_MEMORY_MB, **counted},
        },
        RuntimeConfig={"CopyCount": 1},
    )
    wait(lambda: client.describe_inference_component(InferenceComponentName=name), "InferenceComponentStatus", poll_s)


def wait(look: Callable[[], dict[str, Any]], field: str, poll_s: float) -> None:
    """Return once it is in service. Ends the script where it never will be."""
    while True:
        seen = look()
        status = seen[field]
        print(f"{field}: {status}", flush=True)
        if status == "InService":
            return
        if status not in {"Creating", "Updating"}:
            raise SystemExit(seen.get("FailureReason") or f"{field} is {status}")
        time.sleep(poll_s)


def tell(client: Any, name: str, model: str) -> None:
    region = client.meta.region_name
    runtime = boto3.client("sagemaker-runtime", region_name=region).meta.endpoint_url
    endpoint = client.describe_endpoint(EndpointName=name)["EndpointArn"]
    component = client.describe_inference_component(InferenceComponentName=name)["InferenceComponentArn"]
    base_url = f"{runtime}/endpoints/{name}/inference-components/{name}/openai/v1"
    print(f'\nmake deploy PARAMETERS="SageMakerTraining=true SageMakerEndpointArns={endpoint},{component}"')
    print(f"stillhouse provider add {name} --kind sagemaker --region {region} --base-url {base_url} --model {model}")
    print(f"\nThe student is then {name}/{model}.")


def delete(client: Any, name: str, poll_s: float) -> None:
    """Delete the component, then the endpoint, and what they were made of. What is gone already is no error."""
    for operation, key in (
        ("inference_component", "InferenceComponentName"),
        ("endpoint", "EndpointName"),
        ("endpoint_config", "EndpointConfigName"),
        ("model", "ModelName"),
    ):
        describe, remove = getattr(client, f"describe_{operation}"), getattr(client, f"delete_{operation}")
        asked = False
        while exists(describe, {key: name}):
            if not asked:
                remove(**{key: name})
                asked = True
            time.sleep(poll_s)
        print(f"{operation} {name} is deleted")


def exists(describe: Callable[..., Any], named: dict[str, str]) -> bool:
    try:
        describe(**named)
    except ClientError as error:
        if "could not find" in error.response["Error"]["Message"].lower():
            return False
        raise
    return True


if __name__ == "__main__":
    main()
