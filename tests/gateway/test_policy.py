"""What is captured, and with what: the body wins over the headers, the headers over the key."""

from __future__ import annotations

from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import keys
from foundation.errors import ApiError
from foundation.keys import Key
from gateway.policy import policy_of
from tests.flow.system import System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import COMPLETION, REQUEST, Scripted

NOBODY = Key("app", frozenset({"infer"}))
METADATA, STORE = "x-stillhouse-metadata", "x-stillhouse-store"


def tags(text: str) -> dict[str, str]:
    return policy_of({}, {METADATA: text}, NOBODY).metadata


def refused(body: dict[str, Any], headers: dict[str, str], key: Key = NOBODY) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        policy_of(body, headers, key)
    assert refusal.value.status == 400
    return refusal.value


@pytest.mark.parametrize(("body", "header", "key"), [*product((True, False, None), repeat=3)])
def test_store_is_the_first_that_is_said(body: bool | None, header: bool | None, key: bool | None) -> None:
    headers = {} if header is None else {STORE: str(header).lower()}
    wanted = next((source for source in (body, header, key) if source is not None), False)
    assert policy_of({"store": body}, headers, NOBODY._replace(store=key)).store is wanted
    if body is None:
        assert policy_of({}, headers, NOBODY._replace(store=key)).store is wanted


def test_metadata_is_merged_and_the_body_wins() -> None:
    key = NOBODY._replace(metadata={"a": "key", "b": "key", "c": "key"})
    headers = {METADATA: "b=header,c=header,d=header"}
    body = {"metadata": {"c": "body", "e": "body"}}
    assert policy_of(body, headers, key).metadata == {
        "a": "key",
        "b": "header",
        "c": "body",
        "d": "header",
        "e": "body",
    }
    assert policy_of({"metadata": None}, {}, key).metadata == key.metadata
    assert policy_of({}, {}, NOBODY).metadata == {}


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("k=v,k2=v2", {"k": "v", "k2": "v2"}),
        (" k = v , k2=v2,", {"k": "v", "k2": "v2"}),
        ("k=a%2Cb", {"k": "a,b"}),
        ("k=a=b", {"k": "a=b"}),
        ("k%3D1=v", {"k=1": "v"}),
        ("k=", {"k": ""}),
        ("k=1,k=2", {"k": "2"}),
        ("name=J%C3%BCrgen%20%25", {"name": "Jürgen %"}),
        ("a+b=c+d", {"a+b": "c+d"}),
        ("", {}),
    ],
)
def test_pairs_are_read(text: str, pairs: dict[str, str]) -> None:
    assert tags(text) == pairs


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=16))
def test_any_metadata_can_be_carried(wanted: dict[str, str]) -> None:
    text = ",".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in wanted.items())
    assert tags(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["k", "=v", "a=1,b", "k=%FF", "k" * 65 + "=v", "k=" + "v" * 513, ",".join(f"k{n}=v" for n in range(17))],
)
def test_bad_metadata_names_the_header(text: str) -> None:
    assert refused({}, {METADATA: text}).param == "X-Stillhouse-Metadata"


@pytest.mark.parametrize("text", ["", "yes", "1", "truefalse"])
def test_a_bad_flag_names_the_header(text: str) -> None:
    assert refused({}, {STORE: text}).param == "X-Stillhouse-Store"


def test_too_many_pairs_together_are_refused() -> None:
    key = NOBODY._replace(metadata={"of-the-key": "v"})
    body = {"metadata": {str(n): "v" for n in range(15)}}
    assert len(policy_of(body, {}, key).metadata) == 16
    refusal = refused(body, {METADATA: "of-the-header=v"}, key)
    assert (refusal.param, "17" in str(refusal)) == ("metadata", True)


def test_the_headers_and_the_key_reach_what_is_stored(system: System, provider: Scripted) -> None:
    _, token = keys.create(name="app", scopes=["infer"], store=True, metadata={"team": "mail", "env": "dev"})
    headers = {METADATA: "env=prod,note=a%2Cb"}
    status, answer = system.call("POST", CHAT, {**REQUEST, "metadata": {"n": "1"}}, key=token, headers=headers)
    wanted = {"team": "mail", "env": "prod", "note": "a,b", "n": "1"}
    assert (status, answer) == (200, {**COMPLETION, "metadata": wanted})
    assert provider.asked == [REQUEST]
    (completion,) = listed(system, "?metadata[team]=mail&metadata[note]=a%2Cb")
    assert completion["metadata"] == wanted


def test_the_header_alone_stores_and_the_body_forbids_it(system: System, provider: Scripted) -> None:
    assert provider
    on = {STORE: "TRUE"}
    assert system.call("POST", CHAT, {**REQUEST, "store": False}, headers=on)[0] == 200
    assert listed(system) == []
    assert system.call("POST", CHAT, REQUEST, headers=on)[0] == 200
    assert len(listed(system)) == 1
