"""Webhooks from an endpoint's creation to the SDK's `unwrap`: signed, once each, tried again, to public addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from openai import (
    BadRequestError,
    ConflictError,
    InvalidWebhookSignatureError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
)

from foundation import settings as settings_module
from foundation.ids import now
from notifications.event_types import EVENT_TYPES
from notifications.hosts import host_of, may_be_public
from notifying.notify import notify_verdict
from tests.api.rows import create_eval, started
from tests.api.sdk import client_of
from tests.distilling import build
from tests.flow.system import System
from tests.loopback import serving


@dataclass
class Listener:
    """A server that takes webhooks, and answers what `say` says."""

    url: str = ""
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    say: list[int] = field(default_factory=list)
    busy_for: str = "soon"


@pytest.fixture
def listener() -> Iterator[Listener]:
    started = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            started.deliveries.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(started.say.pop(0) if started.say else 200)
            self.send_header("location", f"{started.url}/elsewhere")
            self.send_header("retry-after", started.busy_for)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on stderr."""

    with serving(Handler) as address:
        started.url = f"{address}/hook"
        yield started


FINE = {"item": {"reference": "yes"}, "sample": {"output_text": "yes"}}


def ended_run(client: OpenAI, system: System) -> Any:
    """A run of one row, graded and told of."""
    eval_id = create_eval(system)
    run = started(system, eval_id, [FINE])
    system.settle()
    return client.evals.runs.retrieve(run["id"], eval_id=eval_id)


def endpoint(client: OpenAI, url: str, *types: Any) -> Any:
    return client.webhooks.create(name="ci", url=url, event_types=list(types or EVENT_TYPES))


def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOKS_TO_PRIVATE", "false")
    settings_module.settings.cache_clear()


def test_a_run_that_ends_is_told_and_the_sdk_believes_it(client: OpenAI, system: System, listener: Listener) -> None:
    made = endpoint(client, listener.url)
    ended = ended_run(client, system)
    ((headers, body),) = listener.deliveries
    event = client.webhooks.unwrap(body, headers, secret=made.signing_secret)
    assert (event.type, event.object, event.data.id) == ("eval.run.succeeded", "event", ended.id)  # type: ignore[union-attr]
    assert event.id == headers["webhook-id"]
    assert abs(event.created_at - now()) < 60
    for other in (body.replace(b"succeeded", b"failed"), body + b" "):
        with pytest.raises(InvalidWebhookSignatureError):
            client.webhooks.unwrap(other, headers, secret=made.signing_secret)


def test_a_verdict_is_told_as_an_event_about_its_distillation(
    client: OpenAI, system: System, listener: Listener
) -> None:
    endpoint(client, listener.url, "distillation.verdict")
    endpoint(client, f"{listener.url}?runs", "eval.run.succeeded")
    verdict = build.verdict(build.distillation("deciding"))
    notify_verdict(verdict.distillation_id)
    system.settle()
    ((headers, body),) = listener.deliveries
    assert json.loads(body) == {
        "id": headers["webhook-id"],
        "object": "event",
        "type": "distillation.verdict",
        "created_at": verdict.created_at,
        "data": {"id": verdict.distillation_id},
    }


def test_each_end_has_its_type_and_goes_to_whoever_asks(client: OpenAI, system: System, listener: Listener) -> None:
    endpoint(client, f"{listener.url}?all")
    endpoint(client, f"{listener.url}?canceled", "eval.run.canceled")
    eval_id = create_eval(system)
    canceled = client.evals.runs.retrieve(started(system, eval_id, [FINE])["id"], eval_id=eval_id)
    client.evals.runs.cancel(canceled.id, eval_id=eval_id)
    file = client.files.create(file=json.dumps(FINE).encode(), purpose="evals")
    source: Any = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    failed = client.evals.runs.create(eval_id, data_source=source)
    client.files.delete(file.id)
    system.settle()
    events = sorted((json.loads(body)["type"], json.loads(body)["data"]["id"]) for _, body in listener.deliveries)
    assert events == sorted(2 * [("eval.run.canceled", canceled.id)] + [("eval.run.failed", failed.id)])


def test_every_message_twice_is_told_once(client: OpenAI, system: System, listener: Listener) -> None:
    endpoint(client, listener.url)
    system.doubled = True
    ended_run(client, system)
    assert len(listener.deliveries) == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_who_does_not_take_it_is_tried_again_later(
    status: int, client: OpenAI, system: System, listener: Listener
) -> None:
    made = endpoint(client, listener.url)
    listener.say = [status]
    ended = ended_run(client, system)
    assert ended.status == "completed"
    assert len(listener.deliveries) == 1, "no redirect is followed either"
    [delivery] = system.ok("GET", f"/v1/channels/{made.id}/deliveries")["data"]
    assert (delivery["status"], delivery["attempts"], delivery["object_id"]) == ("pending", 1, ended.id)
    assert delivery["last_error"] == f"It answered {status}."
    assert delivery["next_attempt_at"] == delivery["first_attempt_at"] + 10
    assert system.dead("NOTIFY") == []


def test_a_busy_one_is_left_alone_for_as_long_as_it_asks(client: OpenAI, system: System, listener: Listener) -> None:
    made = endpoint(client, listener.url)
    listener.say, listener.busy_for = [429], "120"
    ended_run(client, system)
    [delivery] = system.ok("GET", f"/v1/channels/{made.id}/deliveries")["data"]
    assert delivery["next_attempt_at"] == delivery["first_attempt_at"] + 120


def test_nothing_goes_to_a_private_address(
    client: OpenAI, system: System, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(client, listener.url)
    endpoint(client, listener.url.replace("127.0.0.1", "localhost"))
    strict(monkeypatch)
    ended_run(client, system)
    assert listener.deliveries == []
    states = {_state(system, made.id) for made in client.webhooks.list().data}
    assert states == {("pending", "Its address is not public.")}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:pass@example.org/",
        "https:///path",
        "ftp://example.org/",
        "no url",
        "https://[",
    ],
)
def test_a_url_that_could_not_be_told_is_refused(url: str, client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    strict(monkeypatch)
    with pytest.raises(BadRequestError) as refusal:
        endpoint(client, url)
    assert refusal.value.param == "url"
    assert endpoint(client, "https://example.org/hook").url == "https://example.org/hook"


def test_addresses_that_are_not_public() -> None:
    assert all(may_be_public(host) for host in ("8.8.8.8", "2606:4700::1111", "example.org", "localhost"))
    private = (
        "10.1.2.3",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "240.0.0.1",
        "fe80::1%eth0",
        "fd00::1",
        "64:ff9b::7f00:1",
    )
    assert not any(may_be_public(host) for host in private)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Hooks.Example.org/a?b=c", "hooks.example.org"),
        ("https://exämple.org./", "xn--exmple-cua.org."),
        ("https://a_b.example:8443/", "a_b.example"),
        ("https://127。0。0。1/", "127.0.0.1"),
        ("https://①②⑦.0.0.1/", "127.0.0.1"),
        ("https://[::FFFF:127.0.0.1]/", "::ffff:127.0.0.1"),
    ],
)
def test_the_host_of_a_url_is_what_is_connected_to(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"https://{'a' * 64}.example/", "neither a name"),
        (f"https://{'.'.join(['a' * 60] * 5)}/", "neither a name"),
        ("https://a..example/", "neither a name"),
        ("https://-a.example/", "neither a name"),
        ("https://%31%32%37.0.0.1/", "neither a name"),
        ("https://2130706433/", "neither a name"),
        ("https://0x7f.0.0.0x1/", "neither a name"),
        ("https://[fe80::1%25eth0]/", "neither a name"),
        ("https:///path", "neither a name"),
        ("https://xn--\ufffd.example/", "name of the DNS"),
        ("https://e.test:0/", "port"),
        ("https://e.test:99999/", "out of range"),
        ("https://e.test/\r\nX: 1", "control letters"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        host_of(url)


def test_endpoints_are_managed_and_their_secret_is_shown_once(client: OpenAI, system: System) -> None:
    made = endpoint(client, "https://example.org/a", "eval.run.failed")
    assert made.id.startswith("whe_")
    assert made.signing_secret.startswith("whsec_")
    assert made.signing_secret_hint is not None
    assert made.signing_secret_hint.endswith(made.signing_secret[-4:])
    for answer in (client.webhooks.retrieve(made.id), *client.webhooks.list().data):
        assert answer.model_dump().items() >= {"id": made.id, "name": "ci", "event_types": ["eval.run.failed"]}.items()
        assert made.signing_secret not in answer.to_json()
    changed = client.webhooks.update(made.id, name="new", event_types=["eval.run.canceled"])
    assert (changed.name, changed.url, changed.event_types) == ("new", made.url, ["eval.run.canceled"])
    assert client.webhooks.event_types.list().data == list(EVENT_TYPES)
    with pytest.raises(BadRequestError):
        client.webhooks.update(made.id, event_types=["video.completed"])
    gone: Any = client.webhooks.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "webhook_endpoint.deleted", True)
    with pytest.raises(NotFoundError) as refusal:
        client.webhooks.retrieve(made.id)
    assert refusal.value.param == "webhook_endpoint_id"
    for _ in range(20):
        endpoint(client, "https://example.org/a")
    with pytest.raises(ConflictError):
        endpoint(client, "https://example.org/a")
    key = system.ok("POST", "/v1/keys", {"name": "w", "scopes": ["write"]})["key"]
    with client_of(system, key=key) as other, pytest.raises(PermissionDeniedError):
        other.webhooks.list()


@pytest.mark.parametrize("overlaps", [True, False])
def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    overlaps: bool, client: OpenAI, system: System, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = endpoint(client, listener.url)
    new = client.webhooks.rotate_secret(old.id, keep_old_secret_active_for_24_hours=overlaps)
    assert new.signing_secret != old.signing_secret
    ended_run(client, system)
    ((headers, body),) = listener.deliveries
    client.webhooks.unwrap(body, headers, secret=new.signing_secret)
    assert len(headers["webhook-signature"].split()) == (2 if overlaps else 1)
    if overlaps:
        client.webhooks.unwrap(body, headers, secret=old.signing_secret)
        monkeypatch.setattr("notifications.channels.now", lambda: now() + 24 * 3600)
        ended_run(client, system)
        assert len(listener.deliveries[1][0]["webhook-signature"].split()) == 1


def test_no_secret_and_no_url_is_logged(
    client: OpenAI, system: System, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(client, f"{listener.url}?token=hidden")
    listener.say = [500] * 2
    ended_run(client, system)
    text = "".join(str(vars(host)) for host in caplog.records)
    assert made.id in text
    assert "hidden" not in text
    assert made.signing_secret not in text


def _state(system: System, channel_id: str) -> tuple[str, str]:
    [delivery] = system.ok("GET", f"/v1/channels/{channel_id}/deliveries")["data"]
    return delivery["status"], delivery["last_error"]
