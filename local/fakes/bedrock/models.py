"""Custom models, imported models and on-demand deployments of Bedrock.

In: AWS's parameters. Out: AWS's documents. A deployment is made in a while and then answers; another model is put
behind it without a change of its ARN. A model that is deployed is not deleted.
"""

from __future__ import annotations

from typing import Any

from local.fakes.bedrock.jobs import MODEL
from local.fakes.context import Context
from local.fakes.records import Record, once, short_id
from local.fakes.wire import AwsError

DEPLOYMENT = "deployment"


class Models:
    """All custom models."""

    def __init__(self, context: Context) -> None:
        self._records = context.records

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._known(parameters["modelIdentifier"]).document

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self._known(parameters["modelIdentifier"])
        for deployment in self._records.all(DEPLOYMENT):
            if record.arn in {deployment.document["modelArn"], deployment.own.get("next_model")}:
                raise AwsError("ConflictException", f"The model {record.name} is deployed as {deployment.name}.")
        self._records.drop(record)
        return {}

    def _known(self, identifier: str) -> Record:
        record = self._records.find(MODEL, identifier)
        if record is None:
            raise AwsError("ResourceNotFoundException", f"Could not find the custom model {identifier}.")
        return record


class Deployments:
    """All on-demand deployments of custom models."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return once(self._records, "CreateCustomModelDeployment", parameters, lambda: self._create(parameters))

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self.known(parameters["customModelDeploymentIdentifier"])
        self.advance(record)
        return record.document

    def list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        rows = []
        for record in reversed(self._records.all(DEPLOYMENT)):
            self.advance(record)
            if _listed(record.document, parameters):
                rows.append(_summary(record.document))
        return {"modelDeploymentSummaries": rows[: parameters.get("maxResults", 1000)]}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self.known(parameters["customModelDeploymentIdentifier"])
        self.advance(record)
        if record.document["status"] != "Active" or record.own["next_model"]:
            raise AwsError("ValidationException", f"The deployment {record.name} is not ready for an update.")
        self._model(parameters["modelArn"])
        now = self._records.now()
        record.own |= {"next_model": parameters["modelArn"], "since": now}
        record.document |= {
            "updateDetails": {"modelArn": parameters["modelArn"], "updateStatus": "Updating"},
            "lastUpdatedAt": now,
        }
        self._records.keep(record)
        return {"customModelDeploymentArn": record.arn}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record = self.known(parameters["customModelDeploymentIdentifier"])
        self.advance(record)
        if record.document["status"] == "Creating" or record.own["next_model"]:
            raise AwsError("ConflictException", f"The deployment {record.name} is being made or updated.")
        self._records.drop(record)
        return {}

    def advance(self, record: Record) -> None:
        """Bring a deployment to the state that it has by now."""
        now = self._records.now()
        if now < record.own["since"] + self._context.controls.timing.deployment:
            return
        following = record.own["next_model"]
        if record.document["status"] == "Creating":
            record.document |= {"status": "Active", "lastUpdatedAt": now}
        elif following:
            record.document |= {
                "modelArn": following,
                "updateDetails": {"modelArn": following, "updateStatus": "UpdateCompleted"},
                "lastUpdatedAt": now,
            }
            record.own["next_model"] = None
        else:
            return
        self._records.keep(record)

    def lab_model(self, arn: str) -> str:
        """The lab's model that answers at a deployment. Raises AWS's refusal where there is none, or not yet."""
        record = self.known(arn)
        self.advance(record)
        if record.document["status"] != "Active":
            raise AwsError("ValidationException", f"The deployment {arn} is {record.document['status']}.")
        model: str = self._model(record.document["modelArn"]).own["lab_model"]
        return model

    def known(self, identifier: str) -> Record:
        record = self._records.find(DEPLOYMENT, identifier)
        if record is None:
            raise AwsError("ResourceNotFoundException", f"Could not find the deployment {identifier}.")
        return record

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["modelDeploymentName"]
        if self._records.find(DEPLOYMENT, name):
            # The operation has no ConflictException.
            raise AwsError("ValidationException", f"The deployment name {name} is taken.")
        self._model(parameters["modelArn"])
        arn = self._records.arn("bedrock", f"custom-model-deployment/{short_id()}")
        now = self._records.now()
        document = {
            "customModelDeploymentArn": arn,
            "modelDeploymentName": name,
            "modelArn": parameters["modelArn"],
            "createdAt": now,
            "status": "Creating",
            "description": parameters.get("description"),
        }
        self._records.add(Record(DEPLOYMENT, arn, name, document, {"since": now, "next_model": None}))
        return {"customModelDeploymentArn": arn}

    def _model(self, arn: str) -> Record:
        record = self._records.find(MODEL, arn)
        if record is None:
            raise AwsError("ResourceNotFoundException", f"Could not find the custom model {arn}.")
        return record


def _listed(document: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return (
        wanted.get("nameContains", "") in document["modelDeploymentName"]
        and wanted.get("statusEquals") in {None, document["status"]}
        and wanted.get("modelArnEquals") in {None, document["modelArn"]}
    )


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    names = ("customModelDeploymentArn", "modelArn", "createdAt", "status", "lastUpdatedAt", "failureMessage")
    summary = {name: document[name] for name in names if name in document}
    return {**summary, "customModelDeploymentName": document["modelDeploymentName"]}
