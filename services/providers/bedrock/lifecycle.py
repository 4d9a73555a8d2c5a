"""When a foundation model of Amazon Bedrock ends, as `modelLifecycle` says it.

In: a model as it is asked for: its id, an inference profile of it, or an ARN of either. Out: the day on which it is
served no more. AWS's errors are botocore's.
"""

from __future__ import annotations

import re

from foundation import aws

_PROFILE = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|global)\.")


def foundation_model(model: str) -> str:
    """The id of the foundation model that this name stands for: without an ARN, and without the area of a profile."""
    return _PROFILE.sub("", model.rpartition("/")[2])


def end_of(model: str, region: str | None) -> str | None:
    """The day on which this foundation model ends, as YYYY-MM-DD; None while AWS names none, or has no such model."""
    client = aws.bedrock(region)
    try:
        details = client.get_foundation_model(modelIdentifier=model)["modelDetails"]
    except (client.exceptions.ResourceNotFoundException, client.exceptions.ValidationException):
        # A custom model, a deployment of one, or a name that nobody has.
        return None
    end = details.get("modelLifecycle", {}).get("endOfLifeTime")
    return end.date().isoformat() if end else None
