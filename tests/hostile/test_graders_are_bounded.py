"""Every grader has a bound on its input, so that no row holds its run, whatever is in it. A row beyond the bound is
errored with the reason, and its neighbours are graded; what costs little after all is graded.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from evals.output_items import output_items
from tests.flow.system import System
from tests.hostile import acts


def criterion(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "name": kind, **fields}


def similarity(metric: str) -> dict[str, Any]:
    both = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}
    return criterion("text_similarity", evaluation_metric=metric, pass_threshold=0.5, **both)


def row(text: str, reference: str = "yes") -> dict[str, Any]:
    return {"item": {"reference": reference}, "sample": {"output_text": text}}


def spread(letters: int, period: int) -> str:
    """Text of many different words, of which no two texts of other periods share many."""
    return " ".join(format(number * period % 65_521, "04x") for number in range(letters // 5))


def doubled(levels: int) -> dict[str, Any]:
    """A schema each of whose levels asks for the next one twice."""
    steps = {
        f"l{level}": {"allOf": [{"$ref": f"#/$defs/l{level + 1}"}, {"$ref": f"#/$defs/l{level + 1}"}]}
        for level in range(levels)
    }
    return {"$defs": {**steps, f"l{levels}": {"type": "integer"}}, "$ref": "#/$defs/l0"}


def objects(count: int) -> str:
    return orjson.dumps([{"n": [number]} for number in range(count)]).decode()


def calls(count: int, step: int) -> str:
    """Calls of one tool, of which each fits none or one of the other side's."""
    made = [{"name": "f", "arguments": {"n": number * step, "pad": {"deep": [number]}}} for number in range(count)]
    return orjson.dumps(made).decode()


SCHEMA = {"type": "array", "uniqueItems": True}
COSTLY = {
    "fuzzy_match": (similarity("fuzzy_match"), row(spread(18_000, 7), spread(6_000, 11))),
    "rouge_l": (similarity("rouge_l"), row(spread(600_000, 7), spread(600_000, 11))),
    "unique_items": (criterion("json_schema", json_schema=SCHEMA), row(objects(1_500))),
    "schema_doubling": (criterion("json_schema", json_schema=doubled(17)), row("1")),
    "tool_call_match": (
        criterion("tool_call_match", input="{{ sample.output_text }}", reference="{{ item.reference }}"),
        row(calls(2_000, 2), calls(2_000, 3)),
    ),
    "template_spaces": (
        criterion("string_check", input="{{" + " " * 1_800, reference="x", operation="eq"),
        row("yes"),
    ),
    "template_braces": (criterion("string_check", input="{{" * 10_000, reference="x", operation="eq"), row("yes")),
    "regex_states": (
        criterion("regex", input="{{ sample.output_text }}", pattern="(a?){990}" * 8 + "b"),
        row("a" * 3_000),
    ),
    "json_match_depth": (
        criterion("json_match", reference="{{ item.reference }}"),
        row("[" * 200 + "1," * 40_000 + "1" + "]" * 200, "[1]"),
    ),
}
GRADED = {"unique_items", "template_spaces", "template_braces"}
"""Costly only where each value is held against each other one, and each brace against all that follows."""


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_row_holds_its_run_no_longer_than_any(name: str, shared: System) -> None:
    costly, poison = COSTLY[name]
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    body = {"data_source_config": config, "testing_criteria": [costly]}
    eval_ = shared.ok("POST", "/v1/evals", body)
    cheap = row("[1]", "[1]")
    run = acts.graded(shared, eval_["id"], acts.inline(cheap, poison, cheap))
    assert run["status"] == "completed"
    first, middle, last = output_items(run["id"], 0)
    assert [first["errored"], first["results"]] == [last["errored"], last["results"]]
    error = (middle["results"][0]["sample"] or {}).get("error")
    if name in GRADED:
        assert error is None
    else:
        assert error["code"] == "too_large"
        assert acts.explained(error)


def test_what_a_grader_shows_is_no_larger_than_what_it_read(shared: System) -> None:
    """The pointer of each of many deep fields would make an output item of a hundred times its row."""
    text = "[" * 200 + "1," * 3_000 + "1" + "]" * 200
    eval_id = acts.new_eval(shared, criterion("json_match", reference="{{ item.reference }}"))
    run = acts.graded(shared, eval_id, acts.inline(row(text, "[1]")))
    (item,) = output_items(run["id"], 0)
    assert len(orjson.dumps(item["results"])) < 4 * len(text)


def test_an_error_of_a_schema_shows_the_beginning_of_what_it_is_about(shared: System) -> None:
    text = orjson.dumps(["x" * 100_000] * 5).decode()
    schema = {"type": "array", "items": {"type": "integer"}}
    eval_id = acts.new_eval(shared, criterion("json_schema", json_schema=schema))
    run = acts.graded(shared, eval_id, acts.inline(row(text)))
    (item,) = output_items(run["id"], 0)
    assert len(orjson.dumps(item["results"])) < 10_000


def test_a_bound_leaves_everyday_rows_alone(shared: System) -> None:
    """Answers of a few pages, schemas and calls of everyday size are graded as ever."""
    page = spread(6_000, 7)
    both = orjson.dumps([{"name": "f", "arguments": {"n": number}} for number in range(40)]).decode()
    everyday = [
        (similarity("fuzzy_match"), row(page, page)),
        (similarity("rouge_l"), row(page, page)),
        (criterion("json_schema", json_schema=SCHEMA), row(objects(100))),
        (
            criterion("tool_call_match", input="{{ sample.output_text }}", reference="{{ item.reference }}"),
            row(both, both),
        ),
        (criterion("json_match", reference="{{ item.reference }}"), row(both, both)),
    ]
    for kind, sound in everyday:
        run = acts.graded(shared, acts.new_eval(shared, kind), acts.inline(sound))
        assert (run["status"], run["result_counts"]["passed"]) == ("completed", 1), kind["name"]
