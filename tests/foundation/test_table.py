import time

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core.models import botocore_stubber

from foundation import aws, table
from foundation.errors import RetryLater
from foundation.settings import settings as environment
from tests.examples import examples

pytestmark = pytest.mark.usefixtures("cloud")

ROW = {"pk": "p", "sk": "s", "status": "queued", "count": 3, "gone": None}


@pytest.fixture
def naps(monkeypatch):
    """Waiting takes no time; how often it waited is kept."""
    taken = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def put_all(*sort_keys, pk="p"):
    for sk in sort_keys:
        table.put({"pk": pk, "sk": sk})


def sort_keys(**how):
    return [row["sk"] for row in table.query("p", **how)]


def test_a_row_comes_back_as_it_was_written():
    row = {
        "pk": "p",
        "sk": "s",
        "text": "",
        "number": 10**37,
        "negative": -1,
        "yes": True,
        "nothing": None,
        "bytes": b"\x00\xff",
    }
    table.put(row)
    assert table.get("p", "s") == row
    assert type(table.get("p", "s")["number"]) is int
    assert table.get("p", "other") is None


def test_no_float_reaches_the_table():
    with pytest.raises(TypeError, match="float"):
        table.put({"pk": "p", "sk": "s", "score": 0.5})


def test_put_replaces_and_put_new_does_not():
    assert table.put_new(ROW)
    assert not table.put_new({**ROW, "count": 4})
    assert table.get("p", "s")["count"] == 3
    table.put({**ROW, "count": 5})
    assert table.get("p", "s")["count"] == 5


@pytest.fixture
def answers_lost(cloud, monkeypatch):
    """The first attempt of each conditional write takes effect, and botocore gets no answer and repeats it."""
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def lose(event_name, request, **_):
        if b"attempt=1" in str(request.headers["amz-sdk-request"]).encode():
            botocore_stubber(event_name, request)
            raise ConnectionClosedError(endpoint_url="lost")

    for operation in ("PutItem", "UpdateItem"):
        cloud.on(aws.dynamodb(), f"before-send.dynamodb.{operation}", lose)


@pytest.mark.usefixtures("answers_lost")
def test_a_write_whose_answer_was_lost_is_known_to_be_written():
    assert table.put_new(ROW)
    assert not table.put_new({**ROW, "count": 4})
    assert table.update("p", "s", {"status": "done"}, where={"status": "queued"})
    assert not table.update("p", "s", {"status": "failed"}, where={"status": "queued"})
    assert table.get("p", "s") == {**ROW, "status": "done"}


def test_delete():
    table.put(ROW)
    table.delete("p", "s")
    assert table.get("p", "s") is None
    table.delete("p", "s")


def test_another_failure_than_a_lost_condition_surfaces(monkeypatch):
    monkeypatch.setenv("TABLE", "no-such-table")
    environment.cache_clear()
    for act in (
        lambda: table.put_new(ROW),
        lambda: table.update("p", "s", {"count": 1}),
        lambda: table.get("p", "s"),
        lambda: list(table.query("p")),
    ):
        with pytest.raises(ClientError, match="ResourceNotFound"):
            act()


@pytest.mark.parametrize(
    ("where", "won"),
    [
        ({}, True),
        ({"status": "queued"}, True),
        ({"status": "running"}, False),
        ({"status": "queued", "count": 4}, False),
        ({"gone": None}, True),
        ({"never_written": None}, True),
        ({"status": None}, False),
        ({"never_written": "x"}, False),
    ],
)
def test_update_changes_where_every_attribute_has_its_value(where, won):
    table.put(ROW)
    assert table.update("p", "s", {"status": "done", "fresh": 1}, where=where) is won
    changed = {**ROW, "status": "done", "fresh": 1}
    assert table.get("p", "s") == (changed if won else ROW)


def test_update_never_makes_a_row():
    assert not table.update("p", "s", {"status": "done"})
    assert table.get("p", "s") is None


@pytest.mark.parametrize(("least", "won"), [(2, True), (3, False)])
def test_update_with_an_expression(least, won):
    table.put(ROW)
    condition = "#count > :least OR #count = :exact"
    changed = table.update("p", "s", {"count": 9}, condition=condition, values={"least": least, "exact": 77})
    assert changed is won
    assert table.get("p", "s")["count"] == (9 if won else 3)


def test_an_expression_stands_beside_where_and_does_not_loosen_it():
    table.put(ROW)
    how = {"condition": "#count = :b OR #count = :a", "values": {"a": 3, "b": 4}}
    assert not table.update("p", "s", {"count": 9}, where={"status": "running"}, **how)
    assert table.update("p", "s", {"count": 9}, where={"status": "queued"}, **how)


def test_query_gives_one_partition_in_order():
    put_all("b", "a", "c")
    put_all("x", pk="q")
    assert sort_keys() == ["a", "b", "c"]
    assert sort_keys(descending=True) == ["c", "b", "a"]
    assert sort_keys(limit=2) == ["a", "b"]
    assert sort_keys(limit=2, descending=True) == ["c", "b"]


def test_query_bounds_are_exclusive_and_in_the_order_of_the_keys():
    put_all("a", "b", "ba", "c")
    assert sort_keys(after="b") == ["ba", "c"]
    assert sort_keys(before="b") == ["a"]
    assert sort_keys(after="a", before="c") == ["b", "ba"]
    assert sort_keys(after="a", before="c", descending=True, limit=1) == ["ba"]
    assert sort_keys(after="c") == []
    assert sort_keys(before="a") == []
    assert sort_keys(after="c", before="a") == []


def test_a_prefix_narrows_with_bounds_inside_and_outside_of_it():
    put_all("a#1", "b#1", "b#2", "b#é", "c#1")
    assert sort_keys(prefix="b#") == ["b#1", "b#2", "b#é"]
    assert sort_keys(prefix="b#", after="b#1") == ["b#2", "b#é"]
    assert sort_keys(prefix="b#", after="a#1", before="c#1") == ["b#1", "b#2", "b#é"]
    assert sort_keys(prefix="b#", before="a#9") == []
    assert sort_keys(prefix="b#", after="c#0") == []


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_query_is_a_sorted_list_cut_to_size(cloud, data):
    cloud.empty()
    text = st.text("ab\u00e9\U0001f600", min_size=1, max_size=4)
    stored = sorted(data.draw(st.sets(text, max_size=12)))
    put_all(*stored)
    prefix, low, high = data.draw(st.tuples(st.just("") | text, st.none() | text, st.none() | text))
    descending, limit = data.draw(st.tuples(st.booleans(), st.none() | st.integers(1, 5)))
    expected = [
        sk
        for sk in (reversed(stored) if descending else stored)
        if sk.startswith(prefix) and (low is None or sk > low) and (high is None or sk < high)
    ]
    keys = sort_keys(prefix=prefix, after=low, before=high, descending=descending, limit=limit)
    assert keys == expected[:limit]


def test_a_query_reads_on_where_a_page_ends(cloud):
    calls = []
    cloud.on(aws.dynamodb(), "before-call.dynamodb.Query", lambda **_: calls.append(1))
    table.write_all({"pk": "p", "sk": f"{number:03d}", "body": b"x" * 150_000} for number in range(20))
    assert sort_keys() == [f"{number:03d}" for number in range(20)]
    assert len(calls) > 1


def test_a_query_is_lazy(cloud):
    calls = []
    cloud.on(aws.dynamodb(), "before-call.dynamodb.Query", lambda **_: calls.append(1))
    table.write_all({"pk": "p", "sk": f"{number:03d}", "body": b"x" * 150_000} for number in range(20))
    assert next(table.query("p"))["sk"] == "000"
    assert len(calls) == 1


def test_many_rows_are_written_and_read_in_few_calls(cloud):
    calls = []
    for operation in ("BatchWriteItem", "BatchGetItem"):
        cloud.on(aws.dynamodb(), f"before-call.dynamodb.{operation}", lambda **_: calls.append(1))
    rows = [{"pk": "p", "sk": f"{number:03d}", "number": number} for number in range(230)]
    table.write_all(rows)
    assert len(calls) == 10
    wanted = [("p", row["sk"]) for row in rows] + [("p", "missing"), ("p", "000")]
    assert table.get_all(wanted) == {("p", row["sk"]): row for row in rows}
    assert len(calls) == 10 + 3
    assert table.get_all([]) == {}


def test_a_key_written_twice_in_one_go_is_sent_once_as_the_last(cloud):
    """DynamoDB refuses a batch that names a key twice; moto does not."""
    sent = []

    def look(params, **_):
        sent.extend(params["RequestItems"][environment().TABLE])

    cloud.on(aws.dynamodb(), "provide-client-params.dynamodb.BatchWriteItem", look)
    table.write_all([{"pk": "p", "sk": "s", "n": 1}, {"pk": "p", "sk": "s", "n": 2}])
    assert len(sent) == 1
    assert table.get("p", "s")["n"] == 2


def unprocessed(monkeypatch, operation, *, times):
    """Let the table leave the last row of a batch unprocessed, as it does when it throttles."""
    real, left = BaseClient._make_api_call, iter(range(times))

    def call(client, name, params):
        if name != operation or next(left, None) is None:
            return real(client, name, params)
        [(place, wanted)] = params["RequestItems"].items()
        rows = wanted if operation == "BatchWriteItem" else wanted["Keys"]
        done, undone = rows[:-1], rows[-1:]
        answer = {"Responses": {}}
        if done:
            part = done if operation == "BatchWriteItem" else {**wanted, "Keys": done}
            answer = real(client, name, {"RequestItems": {place: part}})
        if operation == "BatchWriteItem":
            return {**answer, "UnprocessedItems": {place: undone}}
        return {**answer, "UnprocessedKeys": {place: {**wanted, "Keys": undone}}}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.parametrize("times", [1, 3])
def test_rows_left_unprocessed_are_written_again(naps, monkeypatch, times):
    unprocessed(monkeypatch, "BatchWriteItem", times=times)
    table.write_all({"pk": "p", "sk": str(number)} for number in range(5))
    assert sort_keys() == ["0", "1", "2", "3", "4"]
    assert len(naps) == times


@pytest.mark.parametrize("times", [1, 3])
def test_keys_left_unprocessed_are_read_again(naps, monkeypatch, times):
    put_all("0", "1", "2", "3", "4")
    unprocessed(monkeypatch, "BatchGetItem", times=times)
    assert len(table.get_all(("p", str(number)) for number in range(5))) == 5
    assert len(naps) == times


def test_a_table_that_keeps_throttling_is_left_for_later(naps, monkeypatch):
    unprocessed(monkeypatch, "BatchWriteItem", times=1000)
    with pytest.raises(RetryLater, match="unprocessed"):
        table.write_all([{"pk": "p", "sk": "s"}])
    put_all("s")
    unprocessed(monkeypatch, "BatchGetItem", times=1000)
    with pytest.raises(RetryLater, match="unprocessed"):
        table.get_all([("p", "s")])
    assert sum(naps) < 20
