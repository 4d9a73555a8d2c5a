"""One endpoint with a bad host fails alone: every other one hears of an event once.
What is checked to be public is what is connected to, however its address is spelt.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from foundation import bus
from foundation import settings as settings_module
from foundation.events import DeliverEvent
from notifications.channels import Channel, new_secret
from tests.flow.system import System
from tests.hostile import acts

EVENT = "eval.run.succeeded"
BAD_HOSTS = {
    "label": f"https://{'a' * 64}.example/hook",
    "name": f"https://{'.'.join(['a' * 60] * 5)}/hook",
    "empty-label": "https://a..example/hook",
    "port": "https://e.test:99999/hook",
    "idn": "https://xn--\ufffd.example/hook",
    "zone": "https://[fe80::1%25eth0]/hook",
    "brackets": "https://[::1/hook",
    "space": "https://a b.example/hook",
    "control": "https://e.test/\x01\r\nX-Evil: 1",
}
PRIVATE = {
    "full-stop": "127。0。0。1",
    "circled": "①②⑦.0.0.1",
    "fullwidth": "\uff11\uff12\uff17.0.0.1",
    "short": "127.1",
    "decimal": "2130706433",
    "hex": "0x7f.0.0.1",
    "octal": "0177.0.0.1",
    "trailing": "127.0.0.1.",
    "localhost": "localhost",
    "circled-localhost": "ⓛocalhost",
    "mapped": "[::ffff:127.0.0.1]",
    "unspecified": "0.0.0.0",  # noqa: S104 - it is asked for, not bound
}


class Listener(ThreadingHTTPServer):
    """Counts the webhooks that reach this machine."""

    def __init__(self) -> None:
        self.deliveries: list[str] = []
        deliveries = self.deliveries

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                deliveries.append(self.headers["webhook-id"])
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing on stderr."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def endpoint(name: str, url: str) -> None:
    """One that was made before today's checks."""
    fields = {"created_at": 1, "updated_at": 1, "event_types": [EVENT], "secret": new_secret()}
    Channel(id=f"whe_{name}", name=name, url=url, **fields).create()


def happened(system: System) -> None:
    bus.send(DeliverEvent(event_type=EVENT, object_id="evalrun_1"))
    for _ in range(7):
        system.deliver("NOTIFY")


@pytest.mark.parametrize("name", BAD_HOSTS)
def test_a_bad_host_keeps_no_event_from_the_others_and_brings_none_twice(
    name: str, system: System, listener: Listener
) -> None:
    endpoint("0bad", BAD_HOSTS[name])
    endpoint("good", f"http://127.0.0.1:{listener.server_port}/hook")
    happened(system)
    assert len(listener.deliveries) == 1


@pytest.mark.parametrize("name", BAD_HOSTS)
def test_an_endpoint_that_no_event_can_reach_is_refused(name: str, shared: System) -> None:
    body = {"name": "bad", "url": BAD_HOSTS[name], "event_types": [EVENT]}
    status, answer = shared.call("POST", "/v1/webhook_endpoints", body)
    assert (status, acts.refusal(answer)["param"]) == (400, "url"), answer


@pytest.mark.parametrize("name", PRIVATE)
def test_no_spelling_of_a_private_address_is_connected_to(
    name: str, system: System, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOKS_TO_PRIVATE", "false")
    settings_module.settings.cache_clear()
    endpoint("inside", f"http://{PRIVATE[name]}:{listener.server_port}/hook")
    happened(system)
    assert listener.deliveries == []


@pytest.mark.parametrize("name", ["full-stop", "circled", "fullwidth", "mapped"])
def test_a_spelling_of_a_private_address_is_refused(name: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOKS_TO_PRIVATE", "false")
    settings_module.settings.cache_clear()
    body = {"name": "inside", "url": f"https://{PRIVATE[name]}/hook", "event_types": [EVENT]}
    status, answer = system.call("POST", "/v1/webhook_endpoints", body)
    assert (status, acts.refusal(answer)["param"]) == (400, "url"), answer


def test_an_event_that_waits_for_one_endpoint_does_not_end_the_message_of_the_others(
    system: System, listener: Listener
) -> None:
    """A deleted endpoint and one that refuses are no reason to tell the healthy one again."""
    endpoint("0closed", "http://127.0.0.1:1/hook")
    endpoint("good", f"http://127.0.0.1:{listener.server_port}/hook")
    happened(system)
    happened(system)
    assert len(listener.deliveries) == 1


def test_the_log_holds_no_url_of_an_endpoint(
    system: System, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint("secret", f"https://{'a' * 64}.example/hook?token=very-secret")
    happened(system)
    assert "very-secret" not in capsys.readouterr().out
    assert listener.deliveries == []
