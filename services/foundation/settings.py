"""What a function is told by its environment, validated once, at first use, never at import."""

from __future__ import annotations

import os
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

_NUMBERS = frozenset({"PROVIDER_REQUESTS_PER_SECOND", "PROVIDER_CONCURRENCY", "PROVIDER_PATIENCE_HOURS"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Set by template.yaml in `Globals`; each function uses the part that its policy allows."""

    TABLE: str
    BUCKET: str
    TOPIC_ARN: str = ""
    FIRST_KEY_SECRET_ARN: str = ""
    PROVIDER_BASE_URL: str
    PROVIDER_SECRET_ARN: str = ""
    PROVIDERS_SECRET_ARN: str = ""
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
    WEBHOOK_QUEUE_URL: str = ""
    WEBHOOKS_TO_PRIVATE: bool = False
    API_URL: str = ""
    SANDBOX_FUNCTION: str = ""
    WATCH_RULE: str = ""
    METRICS_NAMESPACE: str = "Stillhouse"


@cache
def settings() -> Settings:
    """Raises ValueError naming every variable that is missing, or the one that is wrong."""
    told: dict[str, Any] = {one.name: os.environ[one.name] for one in fields(Settings) if one.name in os.environ}
    missing = [one.name for one in fields(Settings) if one.default is MISSING and one.name not in told]
    if missing:
        raise ValueError(f"The environment lacks {', '.join(missing)}.")
    if "WEBHOOKS_TO_PRIVATE" in told:
        told["WEBHOOKS_TO_PRIVATE"] = _truth("WEBHOOKS_TO_PRIVATE", told["WEBHOOKS_TO_PRIVATE"])
    for name in _NUMBERS & told.keys():
        told[name] = _number(name, told[name])
    return Settings(**told)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is no number.") from None


def _truth(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"{name} is neither true nor false.")
    return text == "true"
