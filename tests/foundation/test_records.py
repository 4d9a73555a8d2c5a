from typing import Any, ClassVar

import orjson
import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from foundation import aws, table
from foundation.errors import NotFound
from foundation.records import Record, decode, encode
from tests.examples import examples

pytestmark = pytest.mark.usefixtures("cloud")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Note(Record):
    KIND: ClassVar[str] = "NOTE"
    NAME: ClassVar[str] = "note"

    text: str = ""
    score: float | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    book: str = ""

    def parent(self):
        return self.book


class Open(Note):
    KIND: ClassVar[str] = "OPEN"
    model_config = ConfigDict(extra="allow")


def note(name, at=100, **fields):
    made = Note(id=name, created_at=at, **fields)
    assert made.create()
    return made


def walk(**how):
    """The ids of every page, one page a list."""
    pages, after = [], None
    while True:
        page = Note.page(after=after, **how)
        pages.append([note.id for note in page.data])
        if not page.has_more:
            return pages
        after = page.data[-1].id


@given(JSON)
def test_any_json_survives_as_an_attribute(value):
    kept = encode(value)
    assert not isinstance(kept, float | list | dict)
    assert orjson.dumps(decode(kept)) == orjson.dumps(value)


class Part(BaseModel):
    tags: list[str]


def test_models_are_kept_as_their_json_wherever_they_stand():
    part = Part(tags=["a"])
    assert decode(encode(part)) == {"tags": ["a"]}
    assert decode(encode({"parts": [part]})) == {"parts": [{"tags": ["a"]}]}
    with pytest.raises(TypeError, match="not JSON serializable"):
        encode([object()])


def test_text_that_looks_encoded_is_still_text():
    for text in ("json:[1]", "json:", 'json:"json:x"'):
        assert decode(encode(text)) == text


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(),
    score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    tags=st.dictionaries(st.text(), JSON, max_size=3),
)
def test_a_record_comes_back_equal(cloud, text, score, tags):
    cloud.empty()
    assert Note.load(note("n", text=text, score=score, tags=tags).id) == Note(
        id="n", created_at=100, text=text, score=score, tags=tags
    )


def test_a_record_that_keeps_unknown_fields_keeps_no_keys_of_the_table():
    written = Open(id="n", created_at=1, more={"gain": 0.5})
    written.create()
    assert Open.load("n") == written
    assert Open.page().data == [written]


def test_missing_records():
    assert Note.find("gone") is None
    with pytest.raises(NotFound) as refused:
        Note.load("gone", param="note_id")
    assert refused.value.param == "note_id"
    assert "note" in str(refused.value)
    assert "gone" in str(refused.value)


def test_a_record_is_created_once():
    first = note("n", text="first")
    assert not Note(id="n", created_at=100, text="second").create()
    assert Note.load("n") == first


def test_a_creation_repeated_later_does_not_list_it_twice():
    note("n", at=100)
    note("m", at=150)
    assert not Note(id="n", created_at=200).create()
    assert walk(limit=10) == [["n", "m"]]


@pytest.mark.parametrize("number", [1, 2])
def test_an_interrupted_creation_is_completed_by_the_next(cloud, number):
    cloud.lose_call(aws.dynamodb(), "PutItem", number=number)
    with pytest.raises(ConnectionClosedError):
        Note(id="n", created_at=100).create()
    assert walk(limit=1) == [[]]
    Note(id="n", created_at=200).create()
    assert walk(limit=1) == [["n"]]
    assert Note.load("n").created_at == (200 if number == 1 else 100)


def test_change_sets_what_where_allows():
    made = note("n", text="old", score=0.5)
    assert not made.change({"text": "new"}, where={"text": "other"})
    assert made.change({"text": "new", "tags": {"a": [1.5]}}, where={"text": "old", "score": 0.5})
    assert made.change({"score": None}, condition="#score <> :none", values={"none": 7})
    assert made.change({"score": 1.5}, where={"score": None})
    assert Note.load("n") == Note(id="n", created_at=100, text="new", score=1.5, tags={"a": [1.5]})
    assert not Note(id="gone", created_at=1).change({"text": "x"})
    assert Note.find("gone") is None


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 20])
def test_pages_are_the_list_in_order(descending, limit):
    times = {"e": 1, "b": 20, "a": 20, "c": 100, "f": 1000, "d": 99}
    for name, at in times.items():
        note(name, at=at)
    expected = sorted(times, key=lambda name: (times[name], name), reverse=descending)
    pages = walk(limit=limit, descending=descending)
    assert [name for page in pages for name in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


def test_an_unknown_cursor_gives_an_empty_page():
    note("a")
    assert Note.page(after="gone") == ([], False)
    assert Note.page(after="a") == ([], False)


def test_a_record_stands_in_the_list_of_its_parent_only():
    note("a", book="one")
    note("b", book="two")
    assert walk(parent="one") == [["a"]]
    assert walk(parent="two") == [["b"]]
    assert walk() == [[]]


def test_a_place_without_its_record_is_passed_over():
    note("a", at=1)
    note("b", at=2)
    table.delete("NOTE", "a")
    assert [note.id for note in Note.page(limit=5).data] == ["b"]


def test_a_page_reads_no_more_places_than_it_shows(cloud):
    for number in range(12):
        note(f"n{number:02d}")
    asked = []
    cloud.on(aws.dynamodb(), "provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params["Limit"]))
    assert Note.page(limit=3).has_more
    assert asked == [4]
