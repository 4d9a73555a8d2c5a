"""Encoded pushes: what was packed comes out, what is not of its encoding is refused, a bomb stops at the limit."""

from __future__ import annotations

import gzip
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from capture.unpack import MAX_UNPACKED, unpacked
from foundation.errors import ApiError, TooLarge
from tests.flow import loop
from tests.flow.system import System

PACK = {"gzip": gzip.compress, "zstd": zstd.compress}


@pytest.mark.parametrize("encoding", PACK)
@given(body=st.binary(max_size=4096))
def test_what_was_packed_comes_out(encoding: str, body: bytes) -> None:
    assert unpacked(PACK[encoding](body), encoding.upper()) == body


@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_a_plain_body_stays_as_it_is(encoding: str | None) -> None:
    assert unpacked(b"{}", encoding) == b"{}"


@pytest.mark.parametrize("encoding", PACK)
def test_a_bomb_is_refused_at_the_limit(encoding: str) -> None:
    with pytest.raises(TooLarge) as refused:
        unpacked(PACK[encoding](bytes(MAX_UNPACKED + 1)), encoding)
    assert refused.value.status == 413


@pytest.mark.parametrize("encoding", PACK)
def test_exactly_the_limit_is_taken(encoding: str) -> None:
    assert len(unpacked(PACK[encoding](bytes(MAX_UNPACKED)), encoding)) == MAX_UNPACKED


@pytest.mark.parametrize("encoding", PACK)
@pytest.mark.parametrize("body", [b"", b"plain text", b"\x1f\x8b"])
def test_bytes_of_another_kind_are_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(ApiError, match=encoding):
        unpacked(body, encoding)


@pytest.mark.parametrize("encoding", PACK)
def test_a_body_cut_short_is_refused(encoding: str) -> None:
    with pytest.raises(ApiError, match=encoding):
        unpacked(PACK[encoding](b"0123456789" * 1000)[:-5], encoding)


def test_an_unknown_encoding_names_those_that_are_known() -> None:
    with pytest.raises(ApiError, match="gzip, zstd"):
        unpacked(b"", "br")


@pytest.mark.parametrize("encoding", PACK)
def test_an_encoded_push_is_recorded(encoding: str, system: System) -> None:
    body = PACK[encoding](json.dumps([loop.record(1, split="train", tag=encoding)]).encode())
    status, answer = system.call("POST", "/v1/captures", body, headers={"content-encoding": encoding})
    assert (status, answer["accepted"]) == (202, 1)
    system.settle()
    assert system.ok("GET", f"/v1/chat/completions/chatcmpl-{encoding}-1")["metadata"]["tag"] == encoding
