"""Customization jobs of Bedrock, which the lab trains.

In: AWS's parameters. Out: AWS's documents. A job goes through validation, data processing and training, each for at
least the time that the controls say, and ends when the lab's training has. What is wrong with the data shows when
validation is over, as at AWS. Names of jobs and of their models are unique; a client token answers once.
"""

from __future__ import annotations

from typing import Any

from local.fakes.bedrock.bases import base_of, trainable
from local.fakes.bedrock.hyperparameters import with_defaults
from local.fakes.context import Context
from local.fakes.objects import read, write
from local.fakes.records import Record, once, short_id
from local.fakes.rows import RowProblem, converse_rows
from local.fakes.wire import AwsError

JOB, MODEL = "customization-job", "custom-model"
# The lab's students learn less in a pass than a large model in an epoch.
_PASSES_PER_EPOCH = 5
_CHANGED = "Model Customization Job State Change"
_SHOWN = {
    "jobName",
    "jobArn",
    "outputModelName",
    "outputModelArn",
    "roleArn",
    "failureMessage",
    "baseModelArn",
    "hyperParameters",
    "trainingDataConfig",
    "validationDataConfig",
    "outputDataConfig",
    "trainingMetrics",
}


class Jobs:
    """All customization jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return once(self._records, "CreateModelCustomizationJob", parameters, lambda: self._create(parameters))

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["jobIdentifier"])
        self.advance(record)
        return record.document

    def list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The jobs, newest first; a page holds what `maxResults` allows."""
        rows = [_summary(record.document) for record in reversed(self._records.all(JOB))]
        wanted = parameters.get("nameContains", "")
        status = parameters.get("statusEquals")
        rows = [row for row in rows if wanted in row["jobName"] and status in {None, row["status"]}]
        return {"modelCustomizationJobSummaries": rows[: parameters.get("maxResults", 1000)]}

    def stop(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["jobIdentifier"])
        self.advance(record)
        status = record.document["status"]
        if status != "InProgress":
            raise AwsError("ConflictException", f"The job {record.name} is {status} and cannot be stopped.")
        if record.own["lab_job"]:
            self._context.lab.cancel(record.own["lab_job"])
        record.own["stopped_at"] = self._records.now()
        self._change(record, status="Stopping")
        return {}

    def advance(self, record: Record) -> None:
        """Bring a job to the state that it has by now."""
        timing, now = self._context.controls.timing, self._records.now()
        if record.document["status"] == "Stopping" and now >= record.own["stopped_at"] + timing.stopping:
            self._change(record, status="Stopped", endTime=now)
        if record.document["status"] != "InProgress":
            return
        validated = record.document["creationTime"] + timing.validation
        processed = validated + timing.processing
        record.document["statusDetails"] = _details(record.document["creationTime"], validated, processed, now)
        if now >= validated and record.own["problem"]:
            self._change(record, status="Failed", failureMessage=record.own["problem"], endTime=now)
        elif now >= processed + timing.training:
            self._finish(record)

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._refuse_taken(parameters)
        base = trainable(parameters["baseModelIdentifier"])
        arn = self._records.arn("bedrock", f"model-customization-job/{base}/{short_id()}")
        now = self._records.now()
        document = {
            "jobArn": arn,
            "jobName": parameters["jobName"],
            "outputModelName": parameters["customModelName"],
            "clientRequestToken": parameters.get("clientRequestToken"),
            "roleArn": parameters["roleArn"],
            "status": "InProgress",
            "creationTime": now,
            "lastModifiedTime": now,
            "baseModelArn": f"arn:aws:bedrock:{self._records.region}::foundation-model/{base}",
            "hyperParameters": with_defaults(parameters.get("hyperParameters", {})),
            "trainingDataConfig": parameters["trainingDataConfig"],
            "validationDataConfig": parameters.get("validationDataConfig", {"validators": []}),
            "outputDataConfig": parameters["outputDataConfig"],
            "customizationType": parameters.get("customizationType", "FINE_TUNING"),
        }
        record = Record(JOB, arn, parameters["jobName"], document, self._begin(document, base))
        self._records.add(record)
        self._tell(record)
        return {"jobArn": arn}

    def _refuse_taken(self, parameters: dict[str, Any]) -> None:
        if self._records.find(JOB, parameters["jobName"]):
            raise AwsError("ConflictException", f"The job name {parameters['jobName']} is taken.")
        name = parameters["customModelName"]
        open_jobs = (job for job in self._records.all(JOB) if job.document["status"] == "InProgress")
        if self._records.find(MODEL, name) or any(job.document["outputModelName"] == name for job in open_jobs):
            raise AwsError("ConflictException", f"The custom model name {name} is taken.")

    def _begin(self, document: dict[str, Any], base: str) -> dict[str, Any]:
        """Start the lab's training, or note what is wrong with the data."""
        lines = read(self._context.s3, document["trainingDataConfig"]["s3Uri"])
        checks = [read(self._context.s3, each["s3Uri"]) for each in document["validationDataConfig"]["validators"]]
        try:
            rows = converse_rows(lines)
            for check in checks:
                converse_rows(check)
        except RowProblem as problem:
            return {"lab_job": None, "problem": f"The data is not valid. {problem}"}
        epochs = int(document["hyperParameters"]["epochCount"])
        lab_model = base_of(self._context.controls.bases, base)
        suffix = document["outputModelName"]
        passes = epochs * _PASSES_PER_EPOCH
        lab_job = self._context.lab.train(lab_model, rows, epochs=passes, seed=0, suffix=suffix)
        return {"lab_job": lab_job, "problem": None}

    def _finish(self, record: Record) -> None:
        training = self._context.lab.look(record.own["lab_job"])
        now = self._records.now()
        if training.status in {"failed", "cancelled"}:
            self._change(record, status="Failed", failureMessage=training.error or "Training failed.", endTime=now)
        if training.status != "succeeded":
            return
        base = record.document["baseModelArn"].rpartition("/")[2]
        arn = self._records.arn("bedrock", f"custom-model/{base}/{short_id()}")
        metrics = {} if training.loss is None else {"trainingMetrics": {"trainingLoss": training.loss}}
        record.document["statusDetails"]["trainingDetails"]["status"] = "Completed"
        self._records.add(_model(arn, record.document | metrics, str(training.model), now))
        self._write_metrics(record, training.loss)
        self._change(record, status="Completed", outputModelArn=arn, endTime=now, **metrics)

    def _write_metrics(self, record: Record, loss: float | None) -> None:
        folder = record.document["outputDataConfig"]["s3Uri"].rstrip("/")
        job_id = record.arn.rpartition("/")[2]
        uri = f"{folder}/model-customization-job-{job_id}/training_artifacts/step_wise_training_metrics.csv"
        write(self._context.s3, uri, f"step_number,epoch_number,training_loss\n0,0,{loss}\n".encode())

    def _change(self, record: Record, **fields: Any) -> None:
        record.document |= {"lastModifiedTime": self._records.now(), **fields}
        self._records.keep(record)
        self._tell(record)

    def _tell(self, record: Record) -> None:
        detail = {name: value for name, value in record.document.items() if name in _SHOWN}
        self._context.tell("aws.bedrock", _CHANGED, record.arn, {**detail, "jobStatus": record.document["status"]})

    def _known(self, identifier: str) -> Record:
        record = self._records.find(JOB, identifier)
        if record is None:
            raise AwsError("ResourceNotFoundException", f"Could not find the customization job {identifier}.")
        return record


def _model(arn: str, job: dict[str, Any], lab_model: str, now: float) -> Record:
    copied = ("jobName", "jobArn", "baseModelArn", "customizationType", "hyperParameters", "trainingDataConfig")
    document = {
        "modelArn": arn,
        "modelName": job["outputModelName"],
        "creationTime": now,
        "modelStatus": "Active",
        "trainingMetrics": job.get("trainingMetrics"),
        "outputDataConfig": job["outputDataConfig"],
        **{name: job[name] for name in copied},
    }
    return Record(MODEL, arn, job["outputModelName"], document, {"lab_model": lab_model})


def _details(created: float, validated: float, processed: float, now: float) -> dict[str, Any]:
    """The three stages of a job that is in progress."""
    starts = {"validationDetails": created, "dataProcessingDetails": validated, "trainingDetails": processed}
    ends = [validated, processed, None]
    details: dict[str, Any] = {}
    for (stage, start), end in zip(starts.items(), ends, strict=True):
        done = end is not None and now >= end
        status = "Completed" if done else "InProgress" if now >= start else "NotStarted"
        times = {} if status == "NotStarted" else {"creationTime": start, "lastModifiedTime": end if done else now}
        details[stage] = {"status": status, **times}
    return details


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    names = ("jobArn", "baseModelArn", "jobName", "status", "lastModifiedTime", "creationTime", "endTime")
    summary = {name: document[name] for name in names if name in document}
    model = {"customModelArn": document.get("outputModelArn"), "customModelName": document["outputModelName"]}
    return {**summary, **model, "customizationType": document["customizationType"]}
