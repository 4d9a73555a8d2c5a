import orjson
import pytest
from pydantic import TypeAdapter

from evals.counts import ChunkCounts, ResultCounts
from evals.data_sources import DataSource
from evals.outcomes import RowOutcome, row_id, row_outcomes
from evals.output_items import items_key
from evals.run import Run
from evals.slicing import named_tags
from foundation import blobs

pytestmark = pytest.mark.usefixtures("cloud")

SOURCE = TypeAdapter(DataSource).validate_python({"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}})
RUN = Run(id="evalrun_1", created_at=1, eval_id="eval_1", name="r", data_source=SOURCE)


def item(number, *, status="pass", finish_reason="stop", errored=False, **row):
    return {
        "id": f"outputitem_{number}",
        "status": status,
        "errored": errored,
        "datasource_item_id": number,
        "datasource_item": row,
        "sample": {"finish_reason": finish_reason},
    }


def graded(*chunks):
    for number, items in enumerate(chunks):
        counts = ResultCounts(total=len(items))
        made = ChunkCounts(chunk=number, chunks=len(chunks), first_row=0, counts=counts, usage=[], criteria=[])
        made.write_once(RUN.id)
        blobs.put(items_key(RUN.id, number), b"\n".join(map(orjson.dumps, items)))


def passed(**fields):
    graded([item(0, completion_id="c", **fields)])
    return row_outcomes(RUN)["c"].passed


def test_every_row_of_every_chunk_by_completion_id():
    graded(
        [item(0, completion_id="a", metadata={"app": "mail"}), item(1, completion_id="b", status="fail")],
        [item(2, completion_id="c", status="fail", errored=True), item(3, metadata=None)],
    )
    outcomes = row_outcomes(RUN)
    assert {row: outcome._replace(content=None) for row, outcome in outcomes.items()} == {
        "a": RowOutcome(passed=True, errored=False, item_id="outputitem_0", tags={"app": "mail"}),
        "b": RowOutcome(passed=False, errored=False, item_id="outputitem_1", tags={}),
        "c": RowOutcome(passed=False, errored=True, item_id="outputitem_2", tags={}),
        "3": RowOutcome(passed=True, errored=False, item_id="outputitem_3", tags={}),
    }


@pytest.mark.parametrize(
    ("finish_reason", "counts"),
    [
        ("stop", True),
        ("tool_calls", True),
        ("", True),
        ("length", False),
        ("content_filter", False),
        ("malformed_tool_use", False),
    ],
)
def test_an_answer_cut_short_fails_whatever_the_graders_say(finish_reason, counts):
    assert passed(finish_reason=finish_reason) is counts


def test_how_sure_the_model_was_of_a_row_is_what_its_sample_says():
    sure = item(0, completion_id="a")
    sure["sample"]["confidence"] = -0.25
    graded([sure, item(1, completion_id="b")])
    assert {name: outcome.confidence for name, outcome in row_outcomes(RUN).items()} == {"a": -0.25, "b": None}


def test_a_run_that_graded_nothing():
    assert row_outcomes(RUN) == {}


def test_rows_pair_by_completion_and_else_by_number():
    assert row_id({"completion_id": "chatcmpl-1"}, 7) == "chatcmpl-1"
    assert row_id({}, 0) == "0"
    assert row_id({"completion_id": None}, 7) == "7"


def test_rows_with_a_number_only_are_told_apart_by_their_items():
    graded([item(0, text="a", n=1), item(1, n=1, text="a"), item(2, text="b", n=1), item(3, completion_id="c")])
    outcomes = row_outcomes(RUN)
    assert outcomes["0"].content == outcomes["1"].content != outcomes["2"].content
    assert outcomes["c"].content is None


def test_what_each_criterion_found_and_scored():
    results = [
        {"name": "correct", "passed": True, "score": 1},
        {"name": "close", "passed": False, "score": 0.25},
        {"name": "odd", "passed": False, "score": None},
    ]
    graded([{**item(0), "results": results}])
    assert row_outcomes(RUN)["0"].results == {"correct": (True, 1.0), "close": (False, 0.25), "odd": (False, None)}


def test_tags_are_what_is_asked_for():
    graded([item(0, label="spam", metadata={"app": "mail"})])
    assert row_outcomes(RUN, named_tags(["item.label"]))["0"].tags == {"item.label": "spam"}


def test_many_chunks_come_in_order_and_a_check_stops_their_reading():
    graded(*([item(number)] for number in range(30)))
    assert list(row_outcomes(RUN)) == [str(number) for number in range(30)]
    read = []

    def enough():
        read.append(1)
        if len(read) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        row_outcomes(RUN, each_chunk=enough)


def test_rows_of_one_completion_are_all_counted_and_pair_in_their_order():
    graded(
        [item(0, completion_id="c"), item(1, completion_id="c", status="fail"), item(2, completion_id="c#2")],
        [item(3, completion_id="c"), item(4), item(5, completion_id="4"), item(6, completion_id="c#2")],
    )
    outcomes = row_outcomes(RUN)
    assert [outcome.item_id for outcome in outcomes.values()] == [f"outputitem_{number}" for number in range(7)]
    assert (outcomes["c"].passed, outcomes["c#2"].passed) == (True, False)
