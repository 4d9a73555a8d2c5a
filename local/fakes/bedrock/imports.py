"""Models of open weights that are imported into Bedrock from a folder in S3, and their jobs.

In: AWS's parameters. Out: AWS's documents. The folder holds what the fake of SageMaker has written: the name of the
lab's model. For a while after its first call an imported model is loaded and answers `ModelNotReadyException`.
"""

from __future__ import annotations

from typing import Any

from local.fakes.context import Context
from local.fakes.objects import read_weights
from local.fakes.records import Record, once, short_id
from local.fakes.wire import AwsError

JOB, MODEL = "import-job", "imported-model"


class Imports:
    """All import jobs and imported models."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return once(self._records, "CreateModelImportJob", parameters, lambda: self._create(parameters))

    def get_job(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(JOB, parameters["jobIdentifier"])
        self.advance(record)
        return record.document

    def get_model(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._known(MODEL, parameters["modelIdentifier"]).document

    def delete_model(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._records.drop(self._known(MODEL, parameters["modelIdentifier"]))
        return {}

    def advance(self, record: Record) -> None:
        """Bring an import to the state that it has by now."""
        now = self._records.now()
        if record.document["status"] != "InProgress":
            return
        if now < record.document["creationTime"] + self._context.controls.timing.deployment:
            return
        ended = {"lastModifiedTime": now, "endTime": now}
        try:
            lab_model = read_weights(self._context.s3, record.document["modelDataSource"]["s3DataSource"]["s3Uri"])
        except AwsError as error:
            record.document |= {"status": "Failed", "failureMessage": error.message, **ended}
        else:
            arn = self._add_model(record.document, lab_model, now)
            record.document |= {"status": "Completed", "importedModelArn": arn, **ended}
        self._records.keep(record)

    def lab_model(self, arn: str) -> str:
        """The lab's model behind an imported one. Raises `ModelNotReadyException` while it is loaded."""
        record = self._known(MODEL, arn)
        now = self._records.now()
        asked = record.own.setdefault("asked", now)
        self._records.keep(record)
        if now < asked + self._context.controls.timing.loading:
            raise AwsError("ModelNotReadyException", "The model is not ready for inference. Wait and try again.")
        model: str = record.own["lab_model"]
        return model

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        for kind, name in ((JOB, parameters["jobName"]), (MODEL, parameters["importedModelName"])):
            if self._records.find(kind, name):
                raise AwsError("ConflictException", f"The name {name} is taken.")
        arn = self._records.arn("bedrock", f"model-import-job/{short_id()}")
        now = self._records.now()
        names = ("jobName", "importedModelName", "roleArn", "modelDataSource")
        document = {
            "jobArn": arn,
            "status": "InProgress",
            "creationTime": now,
            "lastModifiedTime": now,
            **{name: parameters[name] for name in names},
        }
        self._records.add(Record(JOB, arn, parameters["jobName"], document))
        return {"jobArn": arn}

    def _add_model(self, job: dict[str, Any], lab_model: str, now: float) -> str:
        arn = self._records.arn("bedrock", f"imported-model/{short_id()}")
        document = {
            "modelArn": arn,
            "modelName": job["importedModelName"],
            "jobName": job["jobName"],
            "jobArn": job["jobArn"],
            "modelDataSource": job["modelDataSource"],
            "creationTime": now,
            "modelArchitecture": "QWEN3",
            "instructSupported": True,
            "customModelUnits": {"customModelUnitsPerModelCopy": 1, "customModelUnitsVersion": "v1.0"},
        }
        self._records.add(Record(MODEL, arn, job["importedModelName"], document, {"lab_model": lab_model}))
        return arn

    def _known(self, kind: str, identifier: str) -> Record:
        record = self._records.find(kind, identifier)
        if record is None:
            raise AwsError("ResourceNotFoundException", f"Could not find {identifier}.")
        return record
