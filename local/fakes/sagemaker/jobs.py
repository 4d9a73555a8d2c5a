"""Serverless training jobs of SageMaker, which the lab trains, and the groups that their models go to.

In: AWS's parameters. Out: AWS's documents. A job's name is its only protection against a second start: the name is free
again once the job is deleted. Data that is wrong shows when the job has read it. A finished job leaves a model package,
and in S3 the folders of its weights, which hold the name of the lab's model.
"""

from __future__ import annotations

from typing import Any

from local.fakes.bedrock.bases import LAB_BASE
from local.fakes.context import Context
from local.fakes.objects import read, write_weights
from local.fakes.records import Record
from local.fakes.rows import RowProblem, preference_rows, text_rows
from local.fakes.sagemaker.hub import TECHNIQUES, model_of, with_defaults
from local.fakes.wire import AwsError

JOB, GROUP, PACKAGE = "training-job", "model-package-group", "model-package"
_ENDED = {"Completed", "Failed", "Stopped"}
_PASSES_PER_EPOCH = 5
_CHANGED = "SageMaker Training Job State Change"
_MISSING = "Requested resource not found."
_DAY_S = 86_400
_ROWS = {"SFT": text_rows, "DPO": preference_rows}
"""How the files of a technique are read. Of pairs the lab learns the chosen answers."""
_COPIED = ("RoleArn", "InputDataConfig", "OutputDataConfig", "ServerlessJobConfig", "ModelPackageConfig")


class Groups:
    """The groups of model packages, and the packages."""

    def __init__(self, context: Context) -> None:
        self._records = context.records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["ModelPackageGroupName"]
        arn = self._records.arn("sagemaker", f"{GROUP}/{name}")
        if self._records.find(GROUP, arn):
            raise AwsError("ValidationException", f"Model Package Group already exists: {arn}")
        document = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "CreationTime": self._records.now(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        self._records.add(Record(GROUP, arn, name, document, {"packages": 0}))
        return {"ModelPackageGroupArn": arn}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._records.find(GROUP, parameters["ModelPackageGroupName"])
        if record is None:
            raise AwsError(
                "ValidationException", f"ModelPackageGroup {parameters['ModelPackageGroupName']} does not exist."
            )
        return record.document

    def describe_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._package(parameters["ModelPackageName"]).document

    def delete_package(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._records.drop(self._package(parameters["ModelPackageName"]))
        return {}

    def _package(self, identifier: str) -> Record:
        record = self._records.find(PACKAGE, identifier)
        if record is None:
            raise AwsError("ValidationException", f"ModelPackage {identifier} does not exist.")
        return record


class Jobs:
    """All training jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["TrainingJobName"]
        arn = self._records.arn("sagemaker", f"{JOB}/{name}")
        if self._records.find(JOB, arn):
            raise AwsError("ResourceInUse", f"Training job names must be unique, and {arn} already exists.")
        self._check(parameters)
        now = self._records.now()
        document = {
            "TrainingJobName": name,
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": now}],
            "HyperParameters": with_defaults(_technique(parameters), parameters.get("HyperParameters", {})),
            "StoppingCondition": parameters.get("StoppingCondition", {"MaxRuntimeInSeconds": _DAY_S}),
            "ModelArtifacts": {"S3ModelArtifacts": f"{_folder(parameters)}/output/model"},
            "CreationTime": now,
            "LastModifiedTime": now,
            **{field: parameters[field] for field in _COPIED if field in parameters},
        }
        record = self._records.add(Record(JOB, arn, name, document, self._begin(parameters, document)))
        self._tell(record)
        return {"TrainingJobArn": arn}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["TrainingJobName"])
        self.advance(record)
        return record.document

    def stop(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["TrainingJobName"])
        self.advance(record)
        status = record.document["TrainingJobStatus"]
        if status != "InProgress":
            raise AwsError("ValidationException", f"The request was rejected because the job is in status {status}.")
        if record.own["lab_job"]:
            self._context.lab.cancel(record.own["lab_job"])
        record.own["stopped_at"] = self._records.now()
        self._enter(record, "Stopping", TrainingJobStatus="Stopping")
        return {}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["TrainingJobName"])
        self.advance(record)
        if record.document["TrainingJobStatus"] not in _ENDED:
            raise AwsError("ValidationException", "Only a job that has ended can be deleted.")
        self._records.drop(record)
        return {}

    def advance(self, record: Record) -> None:
        """Bring a job to the state that it has by now."""
        timing, now, document = self._context.controls.timing, self._records.now(), record.document
        if document["TrainingJobStatus"] == "Stopping" and now >= record.own["stopped_at"] + timing.stopping:
            self._end(record, "Stopped")
        if document["TrainingJobStatus"] != "InProgress":
            return
        started = document["CreationTime"] + timing.validation
        read_at = started + timing.processing
        if now >= started and document["SecondaryStatus"] == "Starting":
            self._enter(record, "Downloading")
        if now >= read_at and record.own["problem"]:
            self._end(record, "Failed", FailureReason=record.own["problem"])
        elif now >= read_at and document["SecondaryStatus"] == "Downloading":
            self._enter(record, "Training", TrainingStartTime=now)
        if now >= read_at + timing.training and document["SecondaryStatus"] == "Training":
            self._finish(record)

    def _check(self, parameters: dict[str, Any]) -> None:
        config = parameters.get("ServerlessJobConfig")
        if config is None or config["JobType"] != "FineTuning" or _technique(parameters) not in TECHNIQUES:
            raise AwsError("ValidationException", "The fake runs serverless jobs of SFT and DPO alone.")
        model_of(config["BaseModelArn"])
        group = parameters.get("ModelPackageConfig", {}).get("ModelPackageGroupArn", "")
        if self._records.find(GROUP, group) is None:
            raise AwsError("ValidationException", f"The model package group '{group}' does not exist.")

    def _begin(self, parameters: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        """Start the lab's training, or note what is wrong with the data."""
        channels = {
            channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
            for channel in parameters.get("InputDataConfig", [])
        }
        if "train" not in channels:
            raise AwsError("ValidationException", "InputDataConfig has no channel train.")
        files = {name: read(self._context.s3, uri) for name, uri in channels.items()}
        try:
            rows = {name: _ROWS[_technique(parameters)](lines) for name, lines in files.items()}
        except RowProblem as problem:
            return {"lab_job": None, "problem": f"ClientError: {problem}"}
        base = model_of(parameters["ServerlessJobConfig"]["BaseModelArn"])
        lab_model = self._context.controls.bases.get(base, LAB_BASE)
        passes = int(document["HyperParameters"]["max_epochs"]) * _PASSES_PER_EPOCH
        suffix = parameters["TrainingJobName"]
        lab_job = self._context.lab.train(lab_model, rows["train"], epochs=passes, seed=0, suffix=suffix)
        return {"lab_job": lab_job, "problem": None}

    def _finish(self, record: Record) -> None:
        training = self._context.lab.look(record.own["lab_job"])
        if training.status in {"failed", "cancelled"}:
            self._end(record, "Failed", FailureReason=training.error or "Training failed.")
        if training.status != "succeeded":
            return
        artifacts = record.document["ModelArtifacts"]["S3ModelArtifacts"]
        for weights in ("hf", "hf_merged"):
            write_weights(self._context.s3, f"{artifacts}/checkpoints/{weights}", str(training.model))
        package = self._register(record, artifacts)
        self._end(record, "Completed", OutputModelPackageArn=package, BillableTokenCount=training.tokens)

    def _register(self, job: Record, artifacts: str) -> str | None:
        """Add the package of a model to the job's group; its ARN, or None where the group is gone."""
        group = self._records.find(GROUP, job.document["ModelPackageConfig"]["ModelPackageGroupArn"])
        if group is None:
            return None
        group.own["packages"] += 1
        self._records.keep(group)
        number = group.own["packages"]
        arn = self._records.arn("sagemaker", f"{PACKAGE}/{group.name}/{number}")
        source = {"S3Uri": f"{artifacts}/", "S3DataType": "S3Prefix", "CompressionType": "None"}
        document = {
            "ModelPackageName": group.name,
            "ModelPackageGroupName": group.name,
            "ModelPackageVersion": number,
            "ModelPackageArn": arn,
            "CreationTime": self._records.now(),
            "InferenceSpecification": {"Containers": [{"ModelDataSource": {"S3DataSource": source}}]},
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
        }
        self._records.add(Record(PACKAGE, arn, f"{group.name}/{number}", document))
        return arn

    def _end(self, record: Record, status: str, **fields: Any) -> None:
        now = self._records.now()
        self._enter(record, status, TrainingJobStatus=status, TrainingEndTime=now, **fields)

    def _enter(self, record: Record, secondary: str, **fields: Any) -> None:
        now = self._records.now()
        transitions = record.document["SecondaryStatusTransitions"]
        transitions[-1]["EndTime"] = now
        transitions.append({"Status": secondary, "StartTime": now})
        record.document |= {"SecondaryStatus": secondary, "LastModifiedTime": now, **fields}
        self._records.keep(record)
        self._tell(record)

    def _tell(self, record: Record) -> None:
        names = ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus", "FailureReason")
        detail = {name: record.document[name] for name in names if name in record.document}
        self._context.tell("aws.sagemaker", _CHANGED, record.arn, detail)

    def _known(self, name: str) -> Record:
        record = self._records.find(JOB, name)
        if record is None:
            raise AwsError("ValidationException", _MISSING)
        return record


def _technique(parameters: dict[str, Any]) -> str:
    return str(parameters["ServerlessJobConfig"].get("CustomizationTechnique"))


def _folder(parameters: dict[str, Any]) -> str:
    return f"{parameters['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{parameters['TrainingJobName']}"
