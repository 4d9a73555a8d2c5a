"""Judge cards through the API: labels in, runs paid once, cards pinned to what the judge is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evals import stored_figures
from evals.calibrations import reliability
from evals.eval import Eval
from evals.output_items import output_items
from evals.run import Run
from tests.flow.loop import lab_calls
from tests.flow.system import FakeContext, System
from tests.grading.build import CHECK, JUDGE

CONFIG = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
# What lab-judge says: it counts the words that both texts share.
RIGHT, WRONG = ("refund", "refund"), ("refund", "shipping")


def eval_of(system: System, *criteria: dict[str, Any]) -> str:
    body = {"data_source_config": CONFIG, "testing_criteria": list(criteria or (JUDGE,))}
    return str(system.ok("POST", "/v1/evals", body)["id"])


def labelled(pair: tuple[str, str], human: Any, **sample: Any) -> dict[str, Any]:
    reference, text = pair
    return {"item": {"reference": reference}, "sample": {"output_text": text, **sample}, "human": human}


ROWS = [
    labelled(RIGHT, "correct"),
    labelled(RIGHT, "correct"),
    labelled(RIGHT, "incorrect"),
    labelled(WRONG, "incorrect"),
    labelled(WRONG, "incorrect"),
    labelled(WRONG, "correct"),
]


def inline(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "file_content", "content": rows}


def calibrate(system: System, eval_id: str, source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = system.ok("POST", f"/v1/evals/{eval_id}/calibrations", {"source": source, **fields})
    return made


def fetched(system: System, made: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = system.ok("GET", f"/v1/evals/{made['eval_id']}/calibrations/{made['id']}")
    return answer


def refused(system: System, eval_id: str, source: dict[str, Any], **fields: Any) -> tuple[int, dict[str, Any]]:
    status, answer = system.call("POST", f"/v1/evals/{eval_id}/calibrations", {"source": source, **fields})
    return status, answer["error"]


def completed_run(system: System, eval_id: str, rows: list[dict[str, Any]]) -> str:
    content = [{name: row[name] for name in ("item", "sample")} for row in rows]
    source = {"type": "jsonl", "source": inline(content)}
    run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})
    system.settle()
    return str(run["id"])


# ------------------------------------------------------------------ rows that are graded now


def test_labelled_rows_are_graded_and_the_card_is_there_when_the_run_has_ended(system: System) -> None:
    eval_id = eval_of(system)
    made = calibrate(system, eval_id, inline(ROWS), metadata={"by": "Ann"})
    assert (made["object"], made["status"], made["card"]) == ("eval.calibration", "in_progress", None)
    assert (made["criterion"], made["model"], made["compared"]) == ("judged", "lab-judge", "label")
    assert fetched(system, made) == made

    system.settle()

    card = fetched(system, made)["card"]
    assert (card["n"], card["agreement"]["count"]) == (6, 4)
    assert card["kappa"] == pytest.approx(1 / 3)
    assert card["judge_models"] == ["lab-judge"]
    assert card["per_model_usage"][0]["invocation_count"] == 2, "the same question is asked once"
    assert card["cost_usd"] is None, "the lab has no price"
    listed = system.ok("GET", f"/v1/evals/{eval_id}/calibrations")["data"]
    assert [completion["card"] for completion in listed] == [card]
    assert listed[0]["metadata"] == {"by": "Ann"}


def test_each_mistake_links_to_its_output_item(system: System) -> None:
    made = calibrate(system, eval_of(system), inline(ROWS))
    system.settle()
    card = fetched(system, made)["card"]
    for mistakes, row in (("false_pass", 2), ("false_fail", 5)):
        (link,) = card[mistakes]["items"]
        item = system.ok("GET", link["url"].removeprefix("https://api.test"))
        assert (item["id"], item["datasource_item_id"]) == (link["id"], row)


def test_what_people_say_reaches_no_judge(system: System) -> None:
    made = calibrate(system, eval_of(system), inline([labelled(RIGHT, ["correct", "incorrect", "correct"])]))
    system.settle()
    (item,) = output_items(made["run_id"], 0)
    assert "human" not in json.dumps(item)
    assert fetched(system, made)["card"]["human_agreement"]["of"] == 3


def test_a_file_of_labelled_rows(system: System) -> None:
    lines = "\n\n".join(json.dumps(row) for row in ROWS).encode()
    made = calibrate(system, eval_of(system), {"type": "file_id", "id": uploaded(system, lines)})
    system.settle()
    assert fetched(system, made)["card"]["agreement"]["count"] == 4


def uploaded(system: System, lines: bytes) -> str:
    boundary = b"--b\r\nContent-Disposition: form-data; name="
    body = b"".join(
        [
            boundary + b'"purpose"\r\n\r\nevals\r\n',
            boundary + b'"file"; filename="rows.jsonl"\r\n\r\n' + lines + b"\r\n--b--\r\n",
        ]
    )
    status, file = system.call("POST", "/v1/files", body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert status == 200, file
    return str(file["id"])


def test_a_line_without_a_label_is_named(system: System) -> None:
    lines = b"\n".join(json.dumps(row).encode() for row in [ROWS[0], {"item": {}}])
    status, error = refused(system, eval_of(system), {"type": "file_id", "id": uploaded(system, lines)})
    assert (status, error["param"]) == (400, "source.id")
    assert "Line 2 has no 'human'" in error["message"]


def test_a_repeated_request_makes_one_calibration_and_pays_once(system: System) -> None:
    eval_id = eval_of(system)
    before = lab_calls(system)
    path, body = f"/v1/evals/{eval_id}/calibrations", {"source": inline(ROWS)}
    first = system.call("POST", path, body, headers={"idempotency-key": "k"})[1]
    system.settle()
    again = system.call("POST", path, body, headers={"idempotency-key": "k"})[1]
    system.settle()
    assert again["id"] == first["id"]
    assert again["card"]["n"] == 6
    assert len(system.ok("GET", path)["data"]) == len(system.ok("GET", f"/v1/evals/{eval_id}/runs")["data"]) == 1
    assert lab_calls(system)["chat"]["lab-judge"] - before["chat"].get("lab-judge", 0) == 2


def test_a_card_is_stored_once_and_outlives_its_run(system: System) -> None:
    made = calibrate(system, eval_of(system), inline(ROWS))
    system.settle()
    card = fetched(system, made)["card"]
    system.ok("DELETE", f"/v1/evals/{made['eval_id']}/runs/{made['run_id']}")
    assert fetched(system, made)["card"] == card


def test_a_run_that_came_to_nothing_ends_the_calibration(system: System) -> None:
    eval_id = eval_of(system)
    canceled, deleted = (calibrate(system, eval_id, inline(ROWS), name=name) for name in ("one", "two"))
    system.ok("POST", f"/v1/evals/{eval_id}/runs/{canceled['run_id']}/cancel")
    system.ok("DELETE", f"/v1/evals/{eval_id}/runs/{deleted['run_id']}")
    for made, reason in ((canceled, "canceled"), (deleted, "deleted")):
        answer = fetched(system, made)
        assert (answer["status"], answer["card"]) == ("failed", None)
        assert answer["error"]["code"] == "run_not_completed"
        assert reason in answer["error"]["message"]


def test_a_row_that_the_judge_cannot_grade_is_counted_apart(system: System) -> None:
    rows = [*ROWS, {"item": {}, "sample": {"output_text": "x"}, "human": "correct"}]
    made = calibrate(system, eval_of(system), inline(rows))
    system.settle()
    card = fetched(system, made)["card"]
    assert (card["rows"], card["n"], card["ungraded"]) == (7, 6, 1)


def test_judge_and_model_of_one_family_are_warned_of(system: System) -> None:
    definition = {"type": "label_model", "model": "gpt-4o", "labels": ["good", "bad"], "passing_labels": ["good"]}
    eval_id = eval_of(system, {"type": "recorded", "name": "judged", "definition": definition})
    grade = {"name": "judged", "passed": True, "score": 1, "sample": {"label": "good"}}
    rows = [labelled(RIGHT, "good", model=model, grades=[grade]) for model in ("gpt-4o-mini", "claude-3-haiku")]
    made = calibrate(system, eval_id, inline(rows), criterion="judged")
    system.settle()
    card = fetched(system, made)["card"]
    assert card["same_family"]["models"] == ["gpt-4o-mini"]
    assert card["models_under_test"] == ["claude-3-haiku", "gpt-4o-mini"]
    assert card["cost_usd"] == 0


# ------------------------------------------------------------------ labels of a run


def test_labels_of_a_run_pay_nothing_and_have_their_card_at_once(system: System) -> None:
    eval_id = eval_of(system)
    run_id = completed_run(system, eval_id, ROWS)
    calls = lab_calls(system)
    labels = [{"row": number, "human": row["human"]} for number, row in enumerate(ROWS)]
    made = calibrate(system, eval_id, {"type": "run", "run_id": run_id, "labels": labels})
    assert made["status"] == "completed"
    assert made["card"]["agreement"]["count"] == 4
    assert (made["card"]["per_model_usage"], made["card"]["cost_usd"]) == ([], 0)
    system.settle()
    assert lab_calls(system) == calls
    assert len(system.ok("GET", f"/v1/evals/{eval_id}/runs")["data"]) == 1


def test_rows_are_named_in_three_ways_and_by_several_people(system: System) -> None:
    eval_id = eval_of(system)
    rows = [*ROWS, {"item": {"reference": "a", "completion_id": "chatcmpl-7"}, "sample": {"output_text": "a"}}]
    run_id = completed_run(system, eval_id, rows)
    item = output_items(run_id, 0)[3]
    labels = [
        {"completion_id": "chatcmpl-7", "human": "correct"},
        {"item_id": item["id"], "human": "incorrect"},
        {"row": 3, "human": ["correct", "incorrect"]},
    ]
    card = calibrate(system, eval_id, {"type": "run", "run_id": run_id, "labels": labels})["card"]
    assert (card["rows"], card["agreement"]["count"]) == (2, 2)
    assert (card["human_agreement"]["count"], card["human_agreement"]["of"]) == (1, 3)


def test_a_run_must_be_completed_and_of_the_eval(system: System) -> None:
    eval_id = eval_of(system)
    run_id = completed_run(system, eval_id, ROWS)
    labels = [{"row": 0, "human": True}]
    open_run = calibrate(system, eval_id, inline(ROWS))["run_id"]
    status, error = refused(system, eval_id, {"type": "run", "run_id": open_run, "labels": labels})
    assert (status, error["code"], error["param"]) == (409, "run_not_completed", "source.run_id")
    status, error = refused(system, eval_of(system), {"type": "run", "run_id": run_id, "labels": labels})
    assert (status, error["param"]) == (404, "source.run_id")


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("label", "param", "reason"),
    [
        ({"row": 9, "human": True}, "source.labels[1]", "no row of row 9"),
        ({"row": -1, "human": True}, "source.labels[1]", "no row"),
        ({"item_id": "outputitem_x", "human": True}, "source.labels[1]", "outputitem_x"),
        ({"completion_id": "chatcmpl-x", "human": True}, "source.labels[1]", "chatcmpl-x"),
        ({"completion_id": "", "human": True}, "source.labels[1]", "no row of completion_id"),
        ({"human": True}, "source.labels[1]", "item_id"),
        ({"row": 0, "item_id": "x", "human": True}, "source.labels[1]", "item_id"),
        ({"row": 0}, "source.labels[1].human", "Missing"),
        ({"row": 0, "human": []}, "source.labels[1].human", "a list of them"),
        ({"row": 0, "human": "splendid"}, "source.labels[1].human", "one of ['correct', 'incorrect']"),
        ({"row": 0, "human": 0.7}, "source.labels[1].human", "no pass_threshold"),
    ],
)
def test_a_wrong_label_is_refused_and_named(system: System, label: dict[str, Any], param: str, reason: str) -> None:
    eval_id = eval_of(system)
    run_id = completed_run(system, eval_id, ROWS[:2])
    source = {"type": "run", "run_id": run_id, "labels": [{"row": 0, "human": True}, label]}
    status, error = refused(system, eval_id, source)
    assert (status, error["param"]) == (400, param)
    assert reason in error["message"]
    assert system.ok("GET", f"/v1/evals/{eval_id}/calibrations")["data"] == []


def test_labels_that_cannot_be_held_against_the_criterion_pay_nothing(system: System) -> None:
    eval_id = eval_of(system)
    for wrong in ("splendid", True):
        status, error = refused(system, eval_id, inline([*ROWS, labelled(RIGHT, wrong)]))
        assert (status, error["param"]) == (400, "source.content[6].human")
    assert system.ok("GET", f"/v1/evals/{eval_id}/runs")["data"] == []


def test_the_criterion_is_named_where_there_are_several_judges(system: System) -> None:
    two = eval_of(system, JUDGE, {**JUDGE, "name": "second"}, CHECK)
    assert refused(system, two, inline(ROWS))[1]["code"] == "ambiguous_criterion"
    assert "judged, second, correct" in refused(system, two, inline(ROWS), criterion="third")[1]["message"]
    assert calibrate(system, two, inline(ROWS), criterion="second")["criterion"] == "second"
    by_id = Eval.load(two).testing_criteria[0].id
    assert calibrate(system, two, inline(ROWS), criterion=by_id)["criterion"] == "judged"
    assert refused(system, eval_of(system, CHECK), inline(ROWS))[1]["code"] == "no_such_criterion"


def test_ids_that_are_not_there(system: System) -> None:
    made = calibrate(system, eval_of(system), inline(ROWS))
    other = eval_of(system)
    for path in (f"{other}/calibrations/{made['id']}", f"{other}/calibrations/calib_x", "eval_x/calibrations"):
        assert system.call("GET", f"/v1/evals/{path}")[0] == 404


# ------------------------------------------------------------------ other criteria


def test_a_rule_has_a_card_too(system: System) -> None:
    eval_id = eval_of(system, CHECK)
    rows = [labelled(RIGHT, True), labelled(WRONG, False), labelled(WRONG, True)]
    made = calibrate(system, eval_id, inline(rows), criterion="correct")
    system.settle()
    answer = fetched(system, made)
    assert (answer["model"], answer["compared"]) == (None, "passed")
    assert (answer["card"]["n"], answer["card"]["agreement"]["count"]) == (3, 2)
    assert answer["card"]["judge_models"] == []


def test_scores_of_people_are_held_against_the_threshold(system: System) -> None:
    score = {"type": "score_model", "name": "scored", "model": "lab-judge", "input": JUDGE["input"]}
    made = calibrate(system, eval_of(system, score), inline([labelled(RIGHT, 0.9), labelled(WRONG, [0.4, 0.8, 0])]))
    system.settle()
    card = fetched(system, made)["card"]
    assert (card["n"], card["agreement"]["count"], card["base_rate"]["count"]) == (2, 2, 1)


def test_a_judge_inside_a_formula(system: System) -> None:
    multi = {
        "type": "multi",
        "name": "both",
        "graders": {"exact": CHECK, "judge": JUDGE},
        "calculate_output": "min(exact, judge)",
        "pass_threshold": 1,
    }
    eval_id = eval_of(system, multi)
    made = calibrate(system, eval_id, inline(ROWS))
    system.settle()
    assert (made["criterion"], fetched(system, made)["card"]["agreement"]["count"]) == ("both.judge", 4)
    assert list(reliability(Eval.load(eval_id))) == ["both.judge"]


def test_position_consistency_through_a_run(system: System) -> None:
    """lab-judge takes the label whose name is closest to the last text: it is true to a place, not to an answer."""
    pair = {
        **JUDGE,
        "input": [{"role": "user", "content": "Reference: {{ item.reference }}\nAnswer: {{ sample.output_text }}"}],
        "labels": ["first", "second"],
        "passing_labels": ["first"],
        "swap": {"first": "item.reference", "second": "sample.output_text", "labels": {"first": "second"}},
    }
    rows = [labelled(("first", "first one"), "first"), labelled(("second", "first"), "first")]
    made = calibrate(system, eval_of(system, pair), inline(rows))
    system.settle()
    results = [item["results"][0] for item in output_items(made["run_id"], 0)]
    assert [result["sample"]["position_consistent"] for result in results] == [False, True]
    card = fetched(system, made)["card"]
    assert (card["position_consistency"]["count"], card["position_consistency"]["of"]) == (1, 2)
    assert {cell["judge"] for cell in card["confusion"]} == {"(no label)", "first"}


# ------------------------------------------------------------------ pinned


def change(eval_id: str, **fields: Any) -> None:
    """The API cannot change criteria; a later version of it, or of the fence, may."""
    eval_ = Eval.load(eval_id)
    criterion = {**eval_.testing_criteria[0].model_dump(mode="json"), **fields}
    eval_.change({"testing_criteria": [criterion]})


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "lab-small"},
        {"input": [{"role": "user", "content": "Reference: {{ item.reference }} Answer: {{ sample.output_text }}"}]},
        {"labels": ["correct", "incorrect", "unclear"]},
        {"passing_labels": ["correct", "incorrect"]},
        {"sampling_params": {"temperature": 1}},
        {"fence": False},
        {"swap": {"first": "item.reference", "second": "sample.output_text", "labels": {"correct": "incorrect"}}},
        {"id": "another-1"},
    ],
)
def test_a_card_is_stale_once_its_judge_is_asked_otherwise(system: System, changed: dict[str, Any]) -> None:
    eval_id = eval_of(system)
    made = calibrate(system, eval_id, inline(ROWS))
    system.settle()
    assert fetched(system, made)["stale"] is False
    change(eval_id, name="renamed")
    assert fetched(system, made)["stale"] is False
    change(eval_id, **changed)
    assert fetched(system, made)["stale"] is True


def test_the_notice_of_the_fence_is_a_part_of_the_rubric(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = calibrate(system, eval_of(system), inline(ROWS))
    monkeypatch.setattr("graders.judging.NOTICE", "Mind the tags named {tag}.")
    assert fetched(system, made)["stale"] is True


def test_reliability_is_the_newest_card_of_the_same_rubric(system: System) -> None:
    eval_id, twin = eval_of(system), eval_of(system)
    assert reliability(Eval.load(eval_id)) == {"judged": None}
    made = calibrate(system, eval_id, inline(ROWS))
    assert reliability(Eval.load(eval_id)) == {"judged": None}, "it is not there yet"
    system.settle()
    figures = reliability(Eval.load(eval_id))["judged"]
    assert figures
    assert (figures.calibration_id, figures.n, figures.stale) == (made["id"], 6, False)
    assert (figures.agreement, figures.false_pass) == (pytest.approx(4 / 6), pytest.approx(1 / 3))
    assert reliability(Eval.load(twin)) == {"judged": figures}, "another eval that asks the same judge the same way"
    change(eval_id, fence=False)
    assert reliability(Eval.load(eval_id)) == {"judged": figures.model_copy(update={"stale": True})}
    change(twin, fence=False)
    assert reliability(Eval.load(twin)) == {"judged": None}


def test_judges_of_one_name_are_told_apart_by_their_ids(system: System) -> None:
    eval_ = Eval.load(eval_of(system, JUDGE, {**JUDGE, "fence": False}))
    assert list(reliability(eval_)) == [criterion.id for criterion in eval_.testing_criteria]


def test_a_card_that_broke_off_while_it_was_stored_is_there_for_others_too(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    eval_id, twin = eval_of(system), eval_of(system)
    made = calibrate(system, eval_id, inline(ROWS))
    system.settle()
    with monkeypatch.context() as patch:
        patch.setattr("evals.calibrations._card", lambda *_: 1 / 0)
        assert system.call("GET", f"/v1/evals/{eval_id}/calibrations/{made['id']}")[0] == 500
    card = reliability(Eval.load(twin))["judged"]
    assert card
    assert card.calibration_id == made["id"]


def test_a_run_of_other_rows_goes_its_way_beside_a_calibration(system: System) -> None:
    eval_id = eval_of(system)
    calibrate(system, eval_id, inline(ROWS))
    run_id = completed_run(system, eval_id, ROWS[:2])
    assert Run.load(run_id).result_counts.total == 2


def test_what_was_recorded_of_another_judge_is_no_measure_of_this_one(system: System) -> None:
    eval_id = eval_of(system, JUDGE, {**CHECK, "type": "recorded", "name": "elsewhere"})
    grades = [{"name": name, "passed": True, "score": 1, "sample": {"label": "correct"}} for name in NAMES]
    rows = [labelled(WRONG, True, grades=grades), labelled(RIGHT, True, grades=grades[1:])]
    content = [{name: row[name] for name in ("item", "sample")} for row in rows]
    source = {"type": "jsonl", "source": inline(content), "recorded_grades": "judged"}
    run_id = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})["id"]
    system.settle()
    labels = [{"row": row, "human": True} for row in range(2)]
    of_run = {"type": "run", "run_id": run_id, "labels": labels}
    cards = [calibrate(system, eval_id, of_run, criterion=name)["card"] for name in NAMES]
    assert [(card["n"], card["ungraded"]) for card in cards] == [(1, 1), (2, 0)]


NAMES = ("judged", "elsewhere")


def test_labels_by_completion_are_read_within_bounds(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    eval_id = eval_of(system)
    ids: list[Any] = ["one", ["two"], None, "one"]
    rows = [{**row, "item": {**row["item"], "completion_id": own}} for row, own in zip(ROWS, ids, strict=False)]
    run_id = completed_run(system, eval_id, rows)

    def of_run(**row: Any) -> dict[str, Any]:
        return {"type": "run", "run_id": run_id, "labels": [{**row, "human": "incorrect"}]}

    assert calibrate(system, eval_id, of_run(completion_id="one"))["card"]["false_pass"]["count"] == 1
    with monkeypatch.context() as patch:
        patch.setattr(stored_figures, "MOST_ROWS", 3)
        assert refused(system, eval_id, of_run(completion_id="one"))[1]["code"] == "too_many_rows"
        assert calibrate(system, eval_id, of_run(row=0))["status"] == "completed", "of which one chunk is read"
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 7_000)
    assert refused(system, eval_id, of_run(completion_id="one"))[0] == 413
