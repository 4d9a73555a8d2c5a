"""Keys over HTTP: who may make them, what they say of themselves, and when they end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.keys import key_with
from tests.flow.system import System

KEYS = "/v1/keys"
NEW: dict[str, Any] = {
    "name": "mail team",
    "scopes": ["infer", "read"],
    "store": True,
    "metadata": {"team": "mail"},
    "fallback_model": "lab-small",
}


def create(system: System, **fields: Any) -> dict[str, Any]:
    status, key = system.call("POST", KEYS, {**NEW, **fields})
    assert status == 201, key
    made: dict[str, Any] = key
    return made


def test_a_key_is_made_shown_and_listed_but_its_secret_only_once(system: System) -> None:
    made = create(system)
    token = made.pop("key")
    assert made == {
        "object": "key",
        "id": token.split("-")[2],
        **NEW,
        "created_at": made["created_at"],
        "revoked_at": None,
    }
    assert system.ok("GET", f"{KEYS}/{made['id']}") == made
    page = system.ok("GET", KEYS)
    assert [key["id"] for key in page["data"]] == ["first", made["id"]]
    assert (page["object"], page["has_more"]) == ("list", False)
    assert token.rpartition("-")[2] not in str(page)
    assert "sha256" not in str(page)


def test_what_is_not_said_is_null(system: System) -> None:
    status, made = system.call("POST", KEYS, {"name": "ci", "scopes": ["read", "read"]})
    assert (status, made["scopes"]) == (201, ["read"])
    assert (made["store"], made["metadata"], made["fallback_model"]) == (None, None, None)


def test_the_list_is_paged(system: System) -> None:
    made = [create(system)["id"] for _ in range(3)]
    first = system.ok("GET", f"{KEYS}?limit=2&order=desc")
    assert first["has_more"]
    rest = system.ok("GET", f"{KEYS}?limit=2&order=desc&after={first['last_id']}")
    assert {key["id"] for key in first["data"] + rest["data"]} == {*made, "first"}


def test_a_key_may_do_what_its_scopes_name(system: System) -> None:
    token = create(system)["key"]
    assert system.call("GET", "/v1/evals", key=token)[0] == 200
    assert system.call("POST", "/v1/evals", {}, key=token)[0] == 403


@pytest.mark.parametrize("scopes", ["read", "write", "capture infer read write"])
def test_keys_are_the_administrators(scopes: str, system: System) -> None:
    key = key_with(scopes)
    for method, path in (("GET", KEYS), ("POST", KEYS), ("GET", f"{KEYS}/first"), ("DELETE", f"{KEYS}/first")):
        status, refusal = system.call(method, path, NEW if method == "POST" else None, key=key)
        assert (status, refusal["error"]["code"]) == (403, "insufficient_permissions"), (method, path)
        assert "admin" in refusal["error"]["message"]


def test_a_revoked_key_ends_and_its_row_stays(system: System) -> None:
    made = create(system)
    assert system.call("GET", "/v1/evals", key=made["key"])[0] == 200
    for _ in range(2):
        gone = system.ok("DELETE", f"{KEYS}/{made['id']}")
        assert gone == {"object": "key.deleted", "id": made["id"], "deleted": True}
    assert system.call("GET", "/v1/evals", key=made["key"])[0] == 401
    assert isinstance(system.ok("GET", f"{KEYS}/{made['id']}")["revoked_at"], int)


def test_the_last_administrator_cannot_be_revoked_until_there_is_another(system: System) -> None:
    reader = create(system)
    status, refusal = system.call("DELETE", f"{KEYS}/first")
    assert (status, refusal["error"]["code"]) == (409, "last_admin_key")
    assert system.headers["x-should-retry"] == "false"
    second = create(system, scopes=["admin"])
    system.ok("DELETE", f"{KEYS}/first")
    assert system.call("GET", KEYS)[0] == 401
    assert system.call("DELETE", f"{KEYS}/{second['id']}", key=second["key"])[0] == 409
    assert system.call("DELETE", f"{KEYS}/{reader['id']}", key=second["key"])[0] == 200


def test_a_key_that_is_none_is_not_found(system: System) -> None:
    for method in ("GET", "DELETE"):
        status, refusal = system.call(method, f"{KEYS}/key_nobody")
        assert (status, refusal["error"]["param"]) == (404, "key_id")


BAD = {
    "no name": ({"name": None}, "name"),
    "no scopes": ({"scopes": None}, "scopes"),
    "empty scopes": ({"scopes": []}, "scopes"),
    "an unknown scope": ({"scopes": ["read", "root"]}, "scopes[1]"),
    "store as text": ({"store": "yes"}, "store"),
    "a number in metadata": ({"metadata": {"n": 1}}, "metadata.n"),
    "an empty fallback": ({"fallback_model": ""}, "fallback_model"),
    "a fallback that no header can carry": ({"fallback_model": "a\r\nb"}, "fallback_model"),
    "a misspelt field": ({"stores": True}, "stores"),
}


def test_a_bad_key_is_refused_naming_its_field(system: System) -> None:
    for name, (fields, param) in BAD.items():
        body = {key: value for key, value in {**NEW, **fields}.items() if value is not None}
        status, refusal = system.call("POST", KEYS, body)
        assert (status, refusal["error"]["param"]) == (400, param), name
    assert len(system.ok("GET", KEYS)["data"]) == 1
