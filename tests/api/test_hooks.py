"""Webhooks of providers: what is genuine has its job looked at, and nothing else has any effect."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from distillations.job import Job
from foundation import aws, table
from foundation.ids import now
from providers import webhook_secrets
from providers.key import SecretKey
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import opened

OLD, NEW = (f"whsec_{base64.b64encode(letter * 24).decode()}" for letter in (b"o", b"n"))
URL = "/v1/hooks/alpha"


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """What is refreshed after a minute is refreshed for each test."""
    webhook_secrets.forget()
    yield
    webhook_secrets.forget()


@pytest.fixture
def alpha(system: System) -> System:
    """A provider whose webhooks are signed."""
    fields = {"name": "alpha", "base_url": "https://alpha.example/v1", "webhook_secret": OLD}
    made = system.ok("POST", "/v1/providers", fields)
    assert (made["has_webhook_secret"], made["webhook_url"]) == (True, f"https://api.test{URL}")
    return system


def event(kind: str = "fine_tuning.job.succeeded", about: str = "theirs") -> bytes:
    told = {"id": "evt_1", "object": "event", "created_at": now(), "type": kind, "data": {"id": about}}
    return json.dumps(told).encode()


def send(
    system: System, body: bytes, secret: str = OLD, *, url: str = URL, at: int | None = None
) -> tuple[int, dict[str, Any]]:
    """Deliver a webhook as OpenAI does: without a key."""
    at = now() if at is None else at
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(at, UTC), body.decode())
    signed = {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": signature}
    return system.call("POST", url, body, key=None, headers=signed)


def looked_at(system: System) -> list[str]:
    """The jobs that are to be looked at."""
    return [message["job_id"] for message in build.sent(system, "TUNING") if message["type"] == "LookAtJob"]


@pytest.mark.parametrize("kind", ["succeeded", "failed", "cancelled"])
def test_a_job_whose_end_is_told_is_looked_at(alpha: System, kind: str) -> None:
    job = opened(trainer="alpha")
    opened(2, trainer="alpha", provider_job_id="another")
    assert send(alpha, event(f"fine_tuning.job.{kind}")) == (200, {"object": "hook.received", "job_id": job.id})
    assert looked_at(alpha) == [job.id]


def test_what_is_told_is_not_believed_and_may_come_twice(alpha: System) -> None:
    """The trainer is asked: it is `alpha`, which nobody reaches here, so the job waits and has not ended."""
    job = opened(trainer="alpha")
    for _ in range(2):
        assert send(alpha, event())[0] == 200
    alpha.deliver("TUNING")
    assert Job.load(job.id).status == "queued"
    assert alpha.deliver("TUNING") == 0


@pytest.mark.parametrize(
    "body",
    [
        event("batch.completed"),
        event("fine_tuning.job.paused"),
        event(about="nobody's"),
        event(about="x" * 5000),
        b'{"type": "fine_tuning.job.succeeded"}',
        b'{"type": 3, "data": []}',
        b"[]",
        b"no JSON",
        b"",
    ],
)
def test_what_is_about_no_open_job_is_taken_and_ignored(alpha: System, body: bytes) -> None:
    opened(trainer="alpha")
    assert send(alpha, body) == (200, {"object": "hook.received", "job_id": None})
    assert looked_at(alpha) == []


def test_a_job_of_another_trainer_is_not_touched(alpha: System) -> None:
    opened(trainer="default")
    assert send(alpha, event())[1]["job_id"] is None


def test_a_forged_one_is_refused_and_counted(alpha: System, capsys: pytest.CaptureFixture[str]) -> None:
    opened(trainer="alpha")
    for forged in (
        lambda: send(alpha, event(), NEW),
        lambda: send(alpha, event(), at=now() - 400),
        lambda: alpha.call("POST", URL, event(), key=None),
    ):
        status, answer = forged()
        assert (status, answer["error"]["code"]) == (401, "invalid_signature")
    assert looked_at(alpha) == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ForgedWebhooks" in line]
    assert [line["ForgedWebhooks"] for line in lines] == [[1.0]] * 3
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"stillhouse"}


def test_without_a_secret_nothing_is_taken(alpha: System) -> None:
    for name in ("default", "nobody"):
        status, answer = send(alpha, event(), url=f"/v1/hooks/{name}")
        assert (status, answer["error"]["param"]) == (404, "name")


def test_a_long_one_is_refused_before_it_is_checked(alpha: System) -> None:
    status, answer = send(alpha, event() + b" " * 64 * 1024)
    assert (status, answer["error"]["code"]) == (413, "request_too_large")


def test_two_secrets_hold_while_one_follows_the_other(alpha: System) -> None:
    def change(secret: str | None) -> None:
        alpha.ok("POST", "/v1/providers/alpha", {"webhook_secret": secret})
        webhook_secrets.forget()

    def taken() -> list[bool]:
        return [send(alpha, event(), secret)[0] == 200 for secret in (OLD, NEW)]

    assert taken() == [True, False]
    change(f"{NEW} {OLD}")
    assert taken() == [True, True]
    change(NEW)
    assert taken() == [False, True]
    change(None)
    assert send(alpha, event(), NEW)[0] == 404
    assert not alpha.ok("GET", "/v1/providers/alpha")["has_webhook_secret"]
    names = [one["Name"] for one in aws.secretsmanager().list_secrets()["SecretList"]]
    assert not [name for name in names if name.endswith("-webhooks")], "its secret is deleted"


def test_a_secret_that_was_rotated_elsewhere_is_seen_within_a_minute(alpha: System) -> None:
    seconds = [0.0]
    row = table.get("WEBHOOK_SECRET", "alpha") or {}
    held: SecretKey = webhook_secrets._held(row["secret_id"])
    held._held._clock = lambda: seconds[0]
    assert send(alpha, event())[0] == 200
    aws.secretsmanager().put_secret_value(SecretId=row["secret_id"], SecretString=NEW)
    assert send(alpha, event())[0] == 200
    seconds[0] += 55
    assert [send(alpha, event(), secret)[0] for secret in (OLD, NEW)] == [401, 200]


def test_a_provider_of_the_template_has_its_webhooks_signed_too_and_nothing_else_changed(system: System) -> None:
    job = opened()
    made = system.ok("POST", "/v1/providers/default", {"webhook_secret": OLD})
    assert (made["has_webhook_secret"], made["origin"]) == (True, "template")
    assert send(system, event(), url="/v1/hooks/default")[1] == {"object": "hook.received", "job_id": job.id}
    both = {"webhook_secret": NEW, "models": ["m"]}
    assert system.call("POST", "/v1/providers/default", both)[1]["error"]["code"] == "provider_of_template"
    assert system.call("POST", "/v1/providers/nobody", {"webhook_secret": NEW})[0] == 404
    assert send(system, event(), url="/v1/hooks/default")[0] == 200


def test_it_goes_with_its_provider(alpha: System) -> None:
    assert alpha.ok("GET", "/v1/providers/alpha")["has_webhook_secret"]
    alpha.ok("DELETE", "/v1/providers/alpha")
    assert send(alpha, event())[0] == 404
    assert not aws.secretsmanager().list_secrets()["SecretList"][1:], "but that of the first key"


@pytest.mark.parametrize(
    "secret", ["sk-1", "whsec_", f"{OLD} {OLD} {OLD}", f"{OLD}\n", "whsec_" + "a" * 600, "whsec_" + "a" * 17]
)
def test_what_is_no_secret_of_webhooks_is_refused(system: System, secret: str) -> None:
    fields = {"name": "alpha", "base_url": "https://alpha.example/v1", "webhook_secret": secret}
    status, answer = system.call("POST", "/v1/providers", fields)
    assert (status, answer["error"]["param"]) == (400, "webhook_secret")


def test_models_of_aws_send_none(system: System) -> None:
    fields = {"name": "nova", "kind": "bedrock", "models": ["m"], "webhook_secret": OLD}
    status, answer = system.call("POST", "/v1/providers", fields)
    assert (status, answer["error"]["param"]) == (400, "webhook_secret")
    assert system.call("GET", "/v1/providers/nova")[0] == 404
    made = system.ok("POST", "/v1/providers", {name: fields[name] for name in ("name", "kind", "models")})
    assert made["webhook_url"] is None
    status, answer = system.call("POST", "/v1/providers/nova", {"webhook_secret": OLD})
    assert (status, answer["error"]["param"]) == (400, "webhook_secret")
