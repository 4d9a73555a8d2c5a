"""Texts that are said to be read without loss are read by `json` to the same values, no key and no digit missing."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.fast import is_lossless
from tests.examples import examples

# Few keys, so that some stand twice; a quote and a backslash, whose escapes a count of quotes could take for others.
KEYS = st.sampled_from(["a", "b", 'a"', '"', "\\", "", "é"])
TEXTS = st.text(st.sampled_from('a"\\[]{}0é\u2028'), max_size=6)
INTEGERS = st.integers() | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30])


def spelled(text: str, *, escaped: bool) -> str:
    """A JSON string, with its quotes as \\u0022 if `escaped`."""
    written = json.dumps(text)
    return '"' + written[1:-1].replace('\\"', "\\u0022") + '"' if escaped else written


STRINGS = st.builds(lambda text, escaped: spelled(text, escaped=escaped), TEXTS, st.booleans())
NAMES = st.builds(lambda text, escaped: spelled(text, escaped=escaped), KEYS, st.booleans())


def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays and objects of JSON texts; an object may have a key twice."""
    separators = st.sampled_from([",", " , "])
    pairs = st.lists(st.tuples(NAMES, inner).map(":".join), max_size=4)
    return st.builds(
        lambda texts, comma: f"[{comma.join(texts)}]", st.lists(inner, max_size=4), separators
    ) | st.builds(lambda texts, comma: f"{{{comma.join(texts)}}}", pairs, separators)


SCALARS = st.sampled_from(["null", "true", "1.5", "1e2"]) | STRINGS | INTEGERS.map(str)
DOCUMENTS = st.recursive(SCALARS, containers, max_leaves=10)


def as_pairs(value: Any) -> Any:
    """A value with its objects as lists of pairs, as `json` gives them before it drops a doubled key."""
    match value:
        case dict():
            return [(key, as_pairs(inner)) for key, inner in value.items()]
        case list():
            return [as_pairs(inner) for inner in value]
    return value


def loses_nothing(text: str, value: Any) -> bool:
    # repr tells 2**64 from the float that equals it.
    return repr(as_pairs(value)) == repr(json.loads(text, object_pairs_hook=list))


@settings(max_examples=examples(600))
@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_an_array_that_is_lossless_is_what_json_reads(documents: list[str]) -> None:
    text = f"[{','.join(documents)}]"
    records = orjson.loads(text)
    if is_lossless(text.encode(), records):
        assert loses_nothing(text, records)


@settings(max_examples=examples(600))
@given(DOCUMENTS)
def test_a_single_document_that_is_lossless_is_what_json_reads(text: str) -> None:
    document = orjson.loads(text)
    if is_lossless(text.encode(), [document]):
        assert loses_nothing(text, document)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab\n\\é", max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(PLAIN, st.sampled_from([None, 2]), st.booleans())
def test_a_sound_document_is_lossless_however_it_is_spelled(
    document: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    assert is_lossless(text, [orjson.loads(text)])


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a": {"b": 1, "b": 2}}',
        '[[{"a":1,"a":1}]]',
        '{"\\u0022":1,"\\u0022":2}',
        '{"a":18446744073709551616}',
        "[-9223372036854775809]",
        "[" * 250 + "]" * 250,
    ],
)
def test_what_orjson_drops_rounds_or_cannot_write_again_is_not_lossless(text: str) -> None:
    assert not is_lossless(text.encode(), [orjson.loads(text)])
