"""SageMaker's public hub: the recipes by which its open models are fine-tuned, and the ranges of what they take.

In: the name of a model of the hub. Out: AWS's document, whose recipes point at a table of hyperparameters in S3 and say
what serves the model. The names and ranges in it are examples: AWS's own are in each region's own bucket.
"""

from __future__ import annotations

from typing import Any

import orjson

from local.fakes.context import Context
from local.fakes.objects import write
from local.fakes.wire import AwsError

HUB = "SageMakerPublicHub"
MODELS = ("huggingface-reasoning-qwen3-06b", "huggingface-reasoning-qwen3-4b")
_VERSION = "1.0.0"
_WEIGHTS = "/models/"
_TABLE = {
    "max_epochs": {"type": "integer", "default": 2, "min": 1, "max": 10},
    "learning_rate": {"type": "float", "default": 0.0001, "min": 1e-6, "max": 0.001},
    "global_batch_size": {"type": "integer", "default": 16, "enum": [8, 16, 32, 64]},
}
_BETA = {"beta": {"type": "float", "default": 0.1, "min": 0.01, "max": 0.5}}
_TABLES = {"SFT": _TABLE, "DPO": {**_TABLE, **_BETA}}
"""What the recipes of a technique take."""
TECHNIQUES = tuple(_TABLES)


class Hub:
    """The models that the fake can train."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._written: set[str] = set()

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["HubContentName"]
        if parameters["HubName"] != HUB or parameters["HubContentType"] != "Model" or name not in MODELS:
            raise AwsError("ResourceNotFound", f"Hub content {name} does not exist.")
        records = self._context.records
        root = f"arn:aws:sagemaker:{records.region}:aws"
        return {
            "HubContentName": name,
            "HubContentArn": f"{root}:hub-content/{HUB}/Model/{name}/{_VERSION}",
            "HubContentVersion": _VERSION,
            "HubContentType": "Model",
            "DocumentSchemaVersion": "2.3.0",
            "HubName": HUB,
            "HubArn": f"{root}:hub/{HUB}",
            "HubContentDocument": orjson.dumps(self._document(name)).decode(),
            "HubContentStatus": "Available",
            "CreationTime": records.now(),
        }

    def _document(self, name: str) -> dict[str, Any]:
        bucket = f"jumpstart-cache-prod-{self._context.records.region}"
        if not self._written:
            self._context.s3.create_bucket(Bucket=bucket)
        return {
            "HostingArtifactUri": f"s3://{bucket}{_WEIGHTS}{name}/",
            "RecipeCollection": [
                self._recipe(name, bucket, technique, peft=peft) for technique in TECHNIQUES for peft in ("LORA", None)
            ],
        }

    def _recipe(self, name: str, bucket: str, technique: str, *, peft: str | None) -> dict[str, Any]:
        kind, by = "lora" if peft else "full", technique.lower()
        uri = f"s3://{bucket}/recipes/{name}_{kind}_{by}_override_params.json"
        if uri not in self._written:
            write(self._context.s3, uri, orjson.dumps(_TABLES[technique]))
            self._written.add(uri)
        return {
            "Name": f"{name}-{kind}-{by}",
            "SmtjRecipeTemplateS3Uri": f"s3://{bucket}/recipes/{name}_{kind}_{by}_template.yaml",
            "Type": "FineTuning",
            "CustomizationTechnique": technique,
            **({"Peft": peft} if peft else {}),
            "SequenceLength": "4K",
            "ServerlessMeteringType": "Token-based",
            "SmtjOverrideParamsS3Uri": uri,
            "HostingConfigs": [self._hosting(adapters=peft is not None)],
        }

    def _hosting(self, *, adapters: bool) -> dict[str, Any]:
        return {
            "Profile": "Default",
            "EcrAddress": f"763104351884.dkr.ecr.{self._context.records.region}.amazonaws.com/djl-inference:lmi",
            "InstanceType": "ml.g5.xlarge",
            "Environment": {"OPTION_ENABLE_LORA": "true"} if adapters else {},
            "ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1, "NumberOfCpuCoresRequired": 2},
        }


def model_of(arn: str) -> str:
    """The hub's name of a base model. Raises AWS's refusal for any that cannot be trained."""
    name = arn.partition("/Model/")[2].partition("/")[0]
    if f":hub-content/{HUB}/Model/" not in arn or name not in MODELS:
        raise AwsError("ValidationException", f"The base model {arn} cannot be customized.")
    return name


def base_of_weights(uri: str) -> str | None:
    """The hub's name of the model whose untrained weights lie there; None for any other folder."""
    name = uri.rstrip("/").partition(_WEIGHTS)[2]
    return name if name in MODELS else None


def with_defaults(technique: str, given: dict[str, str]) -> dict[str, str]:
    """All hyperparameters of a job of this technique. Raises AWS's refusal for what the recipe does not take."""
    takes = _TABLES[technique]
    for name, text in given.items():
        if name not in takes:
            raise AwsError("ValidationException", f"The recipe has no hyperparameter {name}.")
        if not _within(takes[name], text):
            raise AwsError("ValidationException", f"The recipe does not take {text} for {name}.")
    return {name: given.get(name, str(known["default"])) for name, known in takes.items()}


def _within(known: dict[str, Any], text: str) -> bool:
    try:
        value = int(text) if known["type"] == "integer" else float(text)
    except ValueError:
        return False
    if "enum" in known:
        return value in known["enum"]
    return bool(known["min"] <= value <= known["max"])
