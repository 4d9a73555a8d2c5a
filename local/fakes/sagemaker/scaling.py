"""Application Auto Scaling, as far as SageMaker's inference components are its targets, which moto's does not know.

In: AWS's parameters. Out: AWS's documents. A target has its policies, which go with it. Nothing is scaled: whether an
endpoint is at zero, the controls say.
"""

from __future__ import annotations

from typing import Any

from local.fakes.context import Context
from local.fakes.records import Record
from local.fakes.wire import AwsError

TARGET, POLICY = "scalable-target", "scaling-policy"
_OF_A_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class Scaling:
    """The targets, and their policies."""

    def __init__(self, context: Context) -> None:
        self._records = context.records

    def register(self, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = self._arn(TARGET, parameters["ResourceId"])
        role = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        path = f"aws-service-role/sagemaker.application-autoscaling.amazonaws.com/{role}"
        document = {
            **parameters,
            "ScalableTargetARN": arn,
            "RoleARN": f"arn:aws:iam::{self._records.account}:role/{path}",
            "CreationTime": self._records.now(),
        }
        self._records.add(Record(TARGET, arn, parameters["ResourceId"], document))
        return {"ScalableTargetARN": arn}

    def put_policy(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._target(parameters)
        arn = self._arn(POLICY, f"{parameters['ResourceId']}:policyName/{parameters['PolicyName']}")
        document = {**parameters, "PolicyARN": arn, "CreationTime": self._records.now()}
        self._records.add(Record(POLICY, arn, parameters["PolicyName"], document))
        return {"PolicyARN": arn, "Alarms": []}

    def deregister(self, parameters: dict[str, Any]) -> dict[str, Any]:
        target = self._target(parameters)
        for policy in self._records.all(POLICY):
            if policy.document["ResourceId"] == target.name:
                self._records.drop(policy)
        self._records.drop(target)
        return {}

    def targets(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - every handler's
        return {"ScalableTargets": [record.document for record in self._records.all(TARGET)]}

    def policies(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - every handler's
        return {"ScalingPolicies": [record.document for record in self._records.all(POLICY)]}

    def _target(self, parameters: dict[str, Any]) -> Record:
        wanted = [parameters[name] for name in _OF_A_TARGET]
        for record in self._records.all(TARGET):
            if [record.document[name] for name in _OF_A_TARGET] == wanted:
                return record
        raise AwsError("ObjectNotFoundException", f"No scalable target found for {', '.join(wanted)}.")

    def _arn(self, kind: str, name: str) -> str:
        return self._records.arn("application-autoscaling", f"{kind}/{name}")
