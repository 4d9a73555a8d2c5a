"""The settings that a function reads from its environment, validated once at their first use, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

_BOOLEANS = frozenset({"WEBHOOKS_TO_PRIVATE"})
_TRACE = "_X_AMZN_TRACE_ID"
_NUMBERS = frozenset({"PROVIDER_REQUESTS_PER_SECOND", "PROVIDER_CONCURRENCY", "PROVIDER_PATIENCE_HOURS"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The environment variables that template.yaml sets: in `Globals` for every function, others for some alone."""

    TABLE: str
    BUCKET: str
    TOPIC_ARN: str = ""
    FIRST_KEY_SECRET_ARN: str = ""
    PROVIDER_BASE_URL: str
    PROVIDER_SECRET_ARN: str = ""
    PROVIDERS_SECRET_ARN: str = ""
    PROVIDER_RESPONSES: str = "auto"
    PROVIDER_TRAINS_OTHERS: str = "unknown"
    PROVIDER_REQUESTS_PER_SECOND: float = 0.0
    PROVIDER_CONCURRENCY: float = 200.0
    PROVIDER_PATIENCE_HOURS: float = 24.0
    RECORD_QUEUE_URL: str = ""
    PLAN_QUEUE_URL: str = ""
    GRADE_QUEUE_URL: str = ""
    DISTILLING_QUEUE_URL: str = ""
    ASSEMBLY_QUEUE_URL: str = ""
    TUNING_QUEUE_URL: str = ""
    VERDICT_QUEUE_URL: str = ""
    NOTIFY_QUEUE_URL: str = ""
    ROLLOUT_QUEUE_URL: str = ""
    WEBHOOKS_TO_PRIVATE: bool = False
    API_URL: str = ""
    PRICES: str = ""
    SANDBOX_FUNCTION: str = ""
    WATCH_RULE: str = ""
    STACK_NAME: str = "stillhouse"
    TRAINING_ROLE_ARN: str = ""
    SAGEMAKER_SERVING: str = "endpoint"
    """`endpoint`, `sleeping` for endpoints that may scale to zero, or `import` into Bedrock."""


@cache
def settings() -> Settings:
    """The settings of this process. Raises ValueError naming every missing variable, or the one that is invalid."""
    known = fields(Settings)
    values: dict[str, Any] = {field.name: os.environ[field.name] for field in known if field.name in os.environ}
    missing = [field.name for field in known if field.default is MISSING and field.name not in values]
    if missing:
        raise ValueError(f"The environment lacks {', '.join(missing)}.")
    for name in _BOOLEANS & values.keys():
        values[name] = _boolean(name, values[name])
    for name in _NUMBERS & values.keys():
        values[name] = _number(name, values[name])
    return Settings(**values)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is no number.") from None


def _boolean(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"{name} is neither true nor false.")
    return text == "true"


def of_lambda() -> Mapping[str, str]:
    """What Lambda says of the function and of its Runtime API."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_LAMBDA_") or name == "_HANDLER"}


def note_trace(trace_id: str | None) -> None:
    """Set the variable that names the trace of an invocation, or remove that of the one before."""
    if trace_id is None:
        os.environ.pop(_TRACE, None)
    else:
        os.environ[_TRACE] = trace_id
