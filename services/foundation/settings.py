"""What a function is told by its environment, validated once, at first use, never at import."""

from __future__ import annotations

import os
from functools import cache

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Set by template.yaml in `Globals`; each function uses the part that its policy allows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    TABLE: str
    BUCKET: str
    TOPIC_ARN: str = ""
    FIRST_KEY_SECRET_ARN: str = ""
    PROVIDER_BASE_URL: str
    PROVIDER_SECRET_ARN: str = ""
    PROVIDERS_SECRET_ARN: str = ""
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
    WATCH_RULE: str = ""
    METRICS_NAMESPACE: str = "Stillhouse"


@cache
def settings() -> Settings:
    """Raises pydantic's error naming every missing variable."""
    return Settings.model_validate(dict(os.environ))
