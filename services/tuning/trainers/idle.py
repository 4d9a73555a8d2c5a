"""Scale to zero: an endpoint of SageMaker that nobody asks gives its instance back, and takes one again when asked.

In: the component of an endpoint whose copies the instance holds, and the trained model's intent. Out: its scaling and
the alarms that wake it, where the stack's parameter asks for it. Target tracking takes the last copy away some
fifteen minutes after the last call. It cannot leave zero: a call at zero is refused, the alarm of that starts a step to
one copy, and calls are refused for the minutes until then.

Assumed: a call of an adapter at zero counts as a failure of the adapter or of its base, so both have the alarm.
"""

from __future__ import annotations

from typing import Any

from foundation import aws
from foundation.settings import settings
from tuning.trainers import at_aws

_SLEEPING = "sleeping"
_CALLS_A_MINUTE = 1.0
_PERIOD_S = 60


def instances() -> dict[str, Any]:
    """What the endpoint's variant says of it; nothing where it is not asked for."""
    if settings().SAGEMAKER_SERVING != _SLEEPING:
        return {}
    return {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 1}}


def allow(component: str, intent: str) -> None:
    """Have the component's copies go to zero and come back; done again, it changes nothing."""
    if settings().SAGEMAKER_SERVING != _SLEEPING:
        return
    target = _target(component)
    aws.application_autoscaling().register_scalable_target(**target, MinCapacity=0, MaxCapacity=1)
    aws.application_autoscaling().put_scaling_policy(
        **target,
        PolicyName=f"{intent}-asleep",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": _CALLS_A_MINUTE,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy",
            },
        },
    )
    awake = aws.application_autoscaling().put_scaling_policy(
        **target,
        PolicyName=f"{intent}-awake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Maximum",
            "Cooldown": _PERIOD_S,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    for asked in sorted({component, intent}):
        aws.cloudwatch().put_metric_alarm(
            AlarmName=f"{asked}-awake",
            AlarmActions=[awake["PolicyARN"]],
            Namespace="AWS/SageMaker",
            MetricName="NoCapacityInvocationFailures",
            Dimensions=[{"Name": "InferenceComponentName", "Value": asked}],
            Statistic="Sum",
            Period=_PERIOD_S,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )


def remove(components: list[str]) -> None:
    """Delete the alarms and the scaling of these components, and with it its policies."""
    for component in components:
        with at_aws.gone():
            aws.cloudwatch().delete_alarms(AlarmNames=[f"{component}-awake"])
        with at_aws.gone():
            aws.application_autoscaling().deregister_scalable_target(**_target(component))


def _target(component: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"inference-component/{component}",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }
