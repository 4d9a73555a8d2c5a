"""What providers send of their own accord: a webhook that a fine-tuning job of theirs has ended.

In: a webhook by the Standard Webhooks specification, as OpenAI and Azure send it, signed with the provider's secret. No
key is asked for: the signature is checked instead. Out: a message that has the job looked at now. What it says of the
job is not believed: the trainer is asked. So one that is late, doubled or sent again changes nothing, and one that is
lost is made up for by the clock.
"""

from __future__ import annotations

from typing import Literal

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from pydantic import BaseModel, ValidationError

from distillations.job import OPEN_JOBS, Job
from distillations.trainers import provider_of
from foundation import bus, foreign_json, http, table
from foundation.bounds import Name
from foundation.consumer import logger
from foundation.document import Document
from foundation.errors import NotFound, TooLarge, Unauthorized
from foundation.foreign_json import NotJSON
from foundation.job_messages import LookAtJob
from foundation.routes import Routes
from foundation.settings import settings
from providers.signed import is_genuine
from providers.webhook_secrets import secrets_of

router = Routes("Provider webhooks")
_MOST_BYTES = 64 * 1024
_ENDS = frozenset({"fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"})


class ReceivedHook(Document):
    """That a webhook was taken."""

    object: Literal["hook.received"] = "hook.received"
    job_id: str | None
    """The open fine-tuning job that is looked at because of it; null where it is about none, or not about a job."""


class _About(BaseModel):
    id: Name


class _Event(BaseModel):
    """What is read of a webhook."""

    type: Name
    data: _About


@router.post(
    "/v1/hooks/<name>",
    scope=None,
    body=dict[str, object],
    errors={
        401: "The signature is not by the provider's webhook secret, or its time is more than five minutes off.",
        404: "There is no such provider, or it has no webhook secret.",
        413: f"The body has more than {_MOST_BYTES} bytes.",
    },
)
def receive_hook(name: str) -> ReceivedHook:
    """Receive a webhook of a provider, whose signature stands for a key.

    The headers `webhook-id`, `webhook-timestamp` and `webhook-signature` are those of the Standard Webhooks
    specification. Events that are not about the end of a fine-tuning job are taken and ignored.
    """
    body = http.raw_body(router)
    if len(body) > _MOST_BYTES:
        raise TooLarge(f"The body has {len(body)} bytes; at most {_MOST_BYTES} are taken.", code="request_too_large")
    _refuse_forged(name, body)
    job = _open_job(name, body)
    if job:
        bus.send(LookAtJob(job_id=job.id))
    return ReceivedHook(job_id=job.id if job else None)


def _refuse_forged(provider: str, body: bytes) -> None:
    """Raises NotFound where nobody can check a signature, and Unauthorized, counted, where it is wrong."""
    secrets = secrets_of(provider)
    if not secrets:
        raise NotFound("provider with a webhook secret", provider, param="name")
    headers = {name.lower(): value for name, value in router.current_event.headers.items()}
    if not is_genuine(secrets, headers, body):
        _count(provider)
        raise Unauthorized(
            "The webhook's signature is wrong or too old: sign it with the provider's webhook secret.",
            code="invalid_signature",
        )


def _count(provider: str) -> None:
    """Write a metric to the log: a secret that was rotated on one side alone shows there."""
    logger().warning("webhook with a wrong signature refused", extra={"provider": provider})
    with single_metric(name="ForgedWebhooks", unit=MetricUnit.Count, value=1, namespace=settings().STACK_NAME):
        pass


def _open_job(provider: str, body: bytes) -> Job | None:
    """The open job, trained in the provider's account, whose end the webhook tells; None where it tells none."""
    try:
        event = _Event.model_validate(foreign_json.read(body))
    except (NotJSON, ValidationError):
        return None
    if event.type not in _ENDS:
        return None
    for row in table.query(OPEN_JOBS):
        job = Job.find(row["sk"])
        if job and job.provider_job_id == event.data.id and _is_at(job, provider):
            return job
    return None


def _is_at(job: Job, provider: str) -> bool:
    known = provider_of(job.trainer)
    return known is not None and known.name == provider
