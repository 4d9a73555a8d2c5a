"""An odd provider is refused at the door or harms its own calls alone: its address, its key, its list of models.

A change that fits no row is refused like a creation that does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from foundation import aws
from foundation.ids import now
from providers import registry
from providers.entry import Entry
from providers.saved import SavedProvider
from tests.flow.system import System
from tests.hostile import acts

pytestmark = pytest.mark.usefixtures("walls")
URL = "https://gpu.example/v1"
WIDE = "\U0001d4b3" * 2000
MANY_PRICES = {"as_of": "today", "models": {f"m{n}": {"input": "1", "output": "1"} for n in range(20_000)}}
ODD_URLS = {
    "brackets": "http://[::1",
    "port": "https://gpu.example:99999/v1",
    "label": f"https://{'a' * 64}.example/v1",
    "empty_label": "https://gpu..example/v1",
    "control": "https://gpu\x00.example/v1",
    "no_host": "https:///v1",
}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    registry.forget()
    yield
    registry.forget()


@pytest.mark.parametrize("url", ODD_URLS.values(), ids=ODD_URLS)
def test_an_address_that_cannot_be_asked_is_refused(url: str, shared: System) -> None:
    shared.call("POST", "/v1/providers", {"name": "sound", "base_url": URL, "models": ["sound-1"]})
    doors: dict[str, tuple[str, dict[str, Any]]] = {
        "/v1/providers": ("base_url", {"name": "odd", "base_url": url}),
        "/v1/providers/sound": ("base_url", {"base_url": url}),
        "/v1/models": ("url", {"id": "odd-1", "base": "b", "url": url}),
    }
    for path, (field, body) in doors.items():
        status, answer = shared.call("POST", path, body)
        assert (status, acts.refusal(answer)["param"]) == (400, field), answer


@pytest.mark.parametrize("name", ["brackets", "label"])
def test_an_address_that_is_stored_all_the_same_fails_its_own_calls(name: str, system: System) -> None:
    SavedProvider(id="odd", created_at=now(), updated_at=now(), entry=Entry(base_url=ODD_URLS[name])).create()
    chat = {"model": "odd/x", "messages": [{"role": "user", "content": "hello"}]}
    calls = {"chat/completions": chat, "responses": {"model": "odd/x", "input": "hello"}, "embeddings": chat}
    for path, body in calls.items():
        status, answer = system.call("POST", f"/v1/{path}", body)
        assert (status in {502, 504}, bool(acts.refusal(answer)["message"])) == (True, True), answer
    status, trial = system.call("POST", "/v1/providers/odd/test", {"model": "x"})
    assert (status, trial["ok"]) == (200, False)
    status, refusal = system.call("GET", "/v1/models/odd/x")
    assert (status, acts.refusal(refusal)["code"]) == (503, "provider_away")
    assert system.call("DELETE", "/v1/providers/odd")[0] == 200


def test_a_key_that_is_gone_is_said_where_it_is_needed(system: System) -> None:
    system.ok("POST", "/v1/providers", {"name": "keyed", "base_url": URL, "api_key": "sk-1", "models": ["keyed-1"]})
    gone = SavedProvider.load("keyed").secret_id
    aws.secretsmanager().delete_secret(SecretId=gone, ForceDeleteWithoutRecovery=True)
    registry.forget()
    chat = {"model": "keyed-1", "messages": [{"role": "user", "content": "hello"}]}
    for path, body in {"chat/completions": chat, "responses": {"model": "keyed-1", "input": "hello"}}.items():
        status, answer = system.call("POST", f"/v1/{path}", body)
        assert (status, acts.refusal(answer)["code"]) == (502, "key_unusable"), answer
        assert "put-secret-value" in acts.refusal(answer)["message"]
    status, trial = system.call("POST", "/v1/providers/keyed/test", {})
    assert (status, trial["ok"], trial["code"]) == (200, False, "key_unusable")
    assert system.call("GET", "/v1/models")[0] == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"models": [f"{number}{WIDE}" for number in range(100)]}, "models"),
        ({"prices": MANY_PRICES}, "prices"),
    ],
    ids=["models", "prices"],
)
def test_a_provider_that_fits_no_row_is_refused_when_it_is_made_and_when_it_is_changed(
    body: dict[str, Any], param: str, system: System
) -> None:
    assert param
    status, answer = system.call("POST", "/v1/providers", {"name": "large", "base_url": URL, **body})
    assert (status, acts.refusal(answer)["code"]) == (413, "object_too_large"), answer
    system.ok("POST", "/v1/providers", {"name": "large", "base_url": URL})
    status, answer = system.call("POST", "/v1/providers/large", body)
    assert (status, acts.refusal(answer)["code"], acts.refusal(answer)["param"]) == (413, "object_too_large", "entry")
    assert system.ok("GET", "/v1/providers/large")["models"] == []


def test_an_eval_that_fits_no_row_is_refused_when_it_is_changed(system: System) -> None:
    eval_id = acts.new_eval(system)
    status, answer = system.call("POST", f"/v1/evals/{eval_id}", {"name": "n" * 500_000})
    assert (status, acts.refusal(answer)["param"]) in {(400, "name"), (413, "name")}, answer


def test_any_number_of_models_may_be_named_at_one_address(system: System) -> None:
    for number in range(102):
        system.ok("POST", "/v1/models", {"id": f"triage-{number}", "base": "b", "url": URL})
    assert system.ok("GET", "/v1/models/triage-101")["owned_by"].startswith("own-")
    assert registry.providers().resolve("triage-101").model == "triage-101"
