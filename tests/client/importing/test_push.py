import json

import pytest

from stillhouse.capturing.endpoint import Away, Refused
from stillhouse.importing import push
from stillhouse.importing.push import BATCH_BYTES, BATCH_RECORDS
from stillhouse.importing.source import Skipped, Unmapped
from stillhouse.importing.state import State
from stillhouse.importing.stopped import Stopped
from tests.client.importing.build import Killed, Listed, imported


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.json"


def refusals(path):
    return [json.loads(line) for line in path.with_name("state.json.refused.jsonl").read_text().splitlines()]


def test_everything_arrives_in_batches_of_some_hundreds(taking, path):
    counts = imported(Listed(700), taking, path)
    assert [record["response"]["id"] for record in taking.records] == [f"chatcmpl-{n}" for n in range(700)]
    assert max(map(len, taking.pushes)) == BATCH_RECORDS
    assert (counts.read, counts.accepted) == (700, 700)


def test_a_batch_ends_at_two_megabytes(taking, path):
    imported(Listed(9, size=BATCH_BYTES // 3), taking, path)
    assert [len(records) for records in taking.pushes] == [2, 2, 2, 2, 1]


def test_a_finished_import_leaves_no_state(taking, path):
    imported(Listed(2), taking, path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_its_middle_it_goes_on_and_nothing_is_twice(monkeypatch, into, listed, path, moment):
    monkeypatch.setattr(push, "BATCH_RECORDS", 4)
    pushed = []
    real = into.push

    def killing(body):
        pushed.append(body)
        if moment == "after" or len(pushed) != 2:
            accepted = real(body)
        if len(pushed) == 2:
            raise Killed
        return accepted

    monkeypatch.setattr(into, "push", killing)
    with pytest.raises(Killed):
        imported(Listed(10), into, path)
    assert State(path, Listed(10).identity).counts.accepted == 4
    counts = imported(Listed(10), into, path)
    assert len(pushed) == 4, "what was acknowledged is not pushed again"
    assert counts.accepted == 10
    assert [completion["id"] for completion in listed()] == [f"chatcmpl-{number}" for number in range(10)]


def test_what_is_pushed_twice_is_listed_once_and_carries_its_origin(into, listed, path):
    for _ in range(2):
        imported(Listed(5), into, path)
        first = listed()
    assert [record["id"] for record in first] == [f"chatcmpl-{number}" for number in range(5)]
    assert {record["origin"] for record in first} == {"listed"}
    assert {record["reference"] for record in first} == {None}


def test_a_refused_record_is_named_with_its_place_and_not_its_body(taking, path):
    taking.refuses = lambda refusal: (
        {"code": "deleted", "param": "response.id", "message": "gone"}
        if refusal["response"]["id"].endswith("3")
        else None
    )
    counts = imported(Listed(5), taking, path)
    assert (counts.accepted, counts.refused) == (4, {"deleted": 1})
    assert refusals(path) == [
        {
            "index": 3,
            "at": "row 3",
            "id": "chatcmpl-3",
            "code": "deleted",
            "param": "response.id",
            "message": "gone",
        }
    ]


def test_refusals_are_not_written_twice_by_an_import_that_goes_on(monkeypatch, taking, path):
    monkeypatch.setattr(push, "BATCH_RECORDS", 2)
    taking.refuses = lambda _: {"code": "no"}

    def killed(*_):
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(State, "save", killed)
        with pytest.raises(Killed):
            imported(Listed(4), taking, path)
    imported(Listed(4), taking, path)
    assert [refusal["index"] for refusal in refusals(path)] == [0, 1, 2, 3]


def test_the_real_endpoint_refuses_a_record_alone_and_a_batch_whole(into, path, listed):
    source = Listed(3)
    items = list(source.items(None))
    items[1].outcome.response["id"] = "x" * 300
    source.items = lambda _: iter(items)
    counts = imported(source, into, path)
    assert (counts.accepted, counts.refused.total()) == (2, 1)
    source.items = lambda _: iter(items[1:2])
    counts = imported(source, into, path)
    assert (counts.accepted, counts.refused.total()) == (0, 1)
    [refusal] = refusals(path)
    assert refusal["index"] == 0
    assert refusal["param"] == "response.id"
    assert "x" * 300 not in refusal["message"]
    assert len(listed()) == 2


def test_what_has_no_chat_shape_is_counted_and_named(taking, path):
    left = {1: Skipped("a span"), 2: Unmapped("content block 'x'"), 4: Skipped("a span")}
    counts = imported(Listed(6, left=left), taking, path)
    assert (counts.read, counts.accepted) == (6, 3)
    assert (counts.skipped, counts.unmapped) == ({"a span": 2}, {"content block 'x'": 1})
    assert [(refusal["index"], refusal["code"]) for refusal in refusals(path)] == [(2, "unmapped")]


def test_a_long_way_without_records_is_remembered_too(monkeypatch, taking, path):
    monkeypatch.setattr(push, "_BATCH_ITEMS", 2)
    saved = []
    monkeypatch.setattr(State, "save", lambda self: saved.append(self.cursor))
    imported(Listed(5, left=dict.fromkeys(range(5), Skipped("a span"))), taking, path)
    assert saved == [2, 4, 5]
    assert taking.pushes == []


@pytest.mark.parametrize("away", [Away("status 429", 7, 429), Away("status 503", 0, 503), Away("APIConnectionError")])
def test_what_is_away_is_tried_again_after_a_pause(taking, path, away):
    def twice(number, _):
        if number <= 2:
            raise away

    taking.before = twice
    pauses = []
    source = Listed(1)
    counts = push.push(source, taking, State(path, source.identity), pause=pauses.append)
    assert counts.accepted == 1
    assert len(pauses) == 2
    assert min(pauses) >= max(away.retry_after, 0.25)


@pytest.mark.parametrize(
    ("away", "tries", "sentence"),
    [(Away("x", status=401), 1, "refuses the key"), (Away("status 500", status=500), 9, r"is away \(status 500\)")],
)
def test_an_import_stops_in_one_sentence_and_can_go_on(taking, path, away, tries, sentence):
    def raising(*_):
        raise away

    taking.before = raising
    with pytest.raises(Stopped, match=sentence):
        imported(Listed(1), taking, path)
    assert taking.tries == tries
    taking.before = lambda *_: None
    assert imported(Listed(1), taking, path).accepted == 1


def test_a_push_that_is_too_large_is_halved_until_one_record_is_left(taking, path):
    def small_only(_, records):
        if len(records) > 2 or any(record["response"]["id"] == "chatcmpl-6" for record in records):
            raise Refused("status 413 request_too_large body", 413, [])

    taking.before = small_only
    counts = imported(Listed(7), taking, path)
    assert (counts.accepted, counts.refused) == (6, {"status_413": 1})
    assert [refusal["index"] for refusal in refusals(path)] == [6]


def test_a_state_of_another_import_is_refused(taking, path):
    state = State(path, Listed(1).identity)
    state.save()
    with pytest.raises(Stopped, match="belongs to another import"):
        imported(Listed(2), taking, path)
    path.write_text("{}")
    with pytest.raises(Stopped, match="no state of an import"):
        imported(Listed(2), taking, path)


def test_reasons_without_end_are_not_all_remembered(taking, path):
    left = {number: Unmapped(f"content block '{number}'") for number in range(300)}
    counts = imported(Listed(300, left=left), taking, path)
    assert len(counts.unmapped) == 101
    assert counts.unmapped["other reasons"] == 200
