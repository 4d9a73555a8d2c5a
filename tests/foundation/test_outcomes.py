import orjson
import pytest
from pydantic import TypeAdapter

from foundation import blobs
from foundation.evals import ChunkCounts, DataSource, ResultCounts, Run, items_key
from foundation.outcomes import Outcome, outcomes, row_id

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
    return outcomes(RUN)["c"].passed


def test_every_row_of_every_chunk_by_completion_id():
    graded(
        [item(0, completion_id="a", metadata={"app": "mail"}), item(1, completion_id="b", status="fail")],
        [item(2, completion_id="c", status="fail", errored=True), item(3, metadata=None)],
    )
    assert outcomes(RUN) == {
        "a": Outcome(passed=True, errored=False, item_id="outputitem_0", metadata={"app": "mail"}),
        "b": Outcome(passed=False, errored=False, item_id="outputitem_1", metadata={}),
        "c": Outcome(passed=False, errored=True, item_id="outputitem_2", metadata={}),
        "3": Outcome(passed=True, errored=False, item_id="outputitem_3", metadata={}),
    }


@pytest.mark.parametrize(
    ("finish_reason", "counts"),
    [("stop", True), ("tool_calls", True), ("", True), ("length", False), ("content_filter", False)],
)
def test_an_answer_cut_short_fails_whatever_the_graders_say(finish_reason, counts):
    assert passed(finish_reason=finish_reason) is counts


def test_a_run_that_graded_nothing():
    assert outcomes(RUN) == {}


def test_rows_pair_by_completion_and_else_by_number():
    assert row_id({"completion_id": "chatcmpl-1"}, 7) == "chatcmpl-1"
    assert row_id({}, 0) == "0"
    assert row_id({"completion_id": None}, 7) == "7"
