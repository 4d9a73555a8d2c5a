"""Rows labelled by a person, one after the other, and the judge card that the labels make.

The labels so far stand in the address: nothing is kept until the card is asked for, a page can be reloaded, and the
browser's way back takes the last label back. What the grader found of a row is not shown before it is labelled.
"""

from __future__ import annotations

import re
from typing import Any

from dashboard import graded
from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Labelling")
_QUERY = (
    Query("criterion", "The id of the grader that people's labels are held against."),
    Query("labels", "The labels so far, such as `0p.3f`: the row's number, passed or failed."),
    Query("after", "The row that was looked at last."),
    Query("status", "Only rows that passed, or failed."),
)
_LABEL = re.compile(r"(\d{1,6})([pf])", re.ASCII)
_MOST = 400
"""The most labels: an address has a few thousand letters, and a few hundred rows already tell."""
ENOUGH = 30
"""Labels from which an agreement of nine in ten has an interval that says something."""
_MOST_MISTAKES = 5
_TELLS = frozenset({"system", "developer"})
"""The roles of messages that tell a judge what to decide; others show it a row."""


@pages.get("/evals/<eval_id>/runs/<run_id>/label", scope="write", query=_QUERY)
def label(visit: Visit) -> Answer:
    """The next row, with Pass, Fail and Next."""
    path, query = _run_path(visit), visit.query
    labels = _labels(query.get("labels", ""))
    asked = {"limit": "1", **{name: query[name] for name in ("after", "status") if name in query}}
    eval_, run, page = visit.api.all(
        [
            Asked(f"/evals/{step(visit.parameters['eval_id'])}"),
            Asked(path),
            Asked(f"{path}/output_items", asked),
        ]
    )
    if eval_ is None or run is None or page is None:
        raise ApiError("There is no such run.", code="not_found", status=404)
    criterion = _criterion(eval_, query.get("criterion"))
    item = page["data"][0] if page["data"] else None
    content = {
        "eval": eval_,
        "run": run,
        "criterion": criterion,
        "question": _question(criterion),
        "row": graded.row(item) if item else None,
        "links": _links(dict(query), labels, item) if item and len(labels) < _MOST else None,
        "labels": labels,
        "written": _written(labels),
        "passes": sum(passes for _, passes in labels),
        "query": dict(query),
        "enough": ENOUGH,
    }
    return Page("label.html", f"Label rows for {criterion['name']}", content)


@pages.post("/evals/<eval_id>/runs/<run_id>/label", scope="write")
def make_card(visit: Visit) -> Answer:
    """Hold the grader against the labels."""
    form, eval_path = visit.form(), f"/evals/{step(visit.parameters['eval_id'])}"
    labels = [{"row": number, "human": passes} for number, passes in _labels(form.get("labels", ""))]
    if not labels:
        raise ApiError("Label a row first.", code="invalid_value", param="labels")
    source = {"type": "run", "run_id": visit.parameters["run_id"], "labels": labels}
    made = visit.api.post(f"{eval_path}/calibrations", {"criterion": form.get("criterion"), "source": source})
    return SeeOther(f"{eval_path}/calibrations/{step(made['id'])}")


@pages.get("/evals/<eval_id>/calibrations/<calibration_id>", scope="read")
def judge_card(visit: Visit) -> Answer:
    """How far a judge agrees with people, with the first rows on which it does not."""
    eval_path = f"/evals/{step(visit.parameters['eval_id'])}"
    path = f"{eval_path}/calibrations/{step(visit.parameters['calibration_id'])}"
    eval_, calibration = visit.api.all([Asked(eval_path), Asked(path)])
    if eval_ is None or calibration is None:
        raise ApiError("There is no such judge card.", code="not_found", status=404)
    card = calibration["card"]
    kinds = ("false_pass", "false_fail") if card else ()
    links = [(kind, link) for kind in kinds for link in card[kind]["items"][:_MOST_MISTAKES]]
    items = f"{eval_path}/runs/{step(calibration['run_id'])}/output_items"
    found = visit.api.all([Asked(f"{items}/{step(link['id'])}") for _, link in links])
    mistakes: dict[str, list[graded.GradedRow]] = {kind: [] for kind in kinds}
    for (kind, _), item in zip(links, found, strict=True):
        if item is not None:
            row = graded.row(item)
            own = [grade for grade in row.grades if grade.criterion == calibration["criterion_id"]]
            mistakes[kind].append(row._replace(grades=own))
    content = {"eval": eval_, "calibration": calibration, "card": card, "mistakes": mistakes, "enough": ENOUGH}
    return Page("judge_card.html", f"Judge card of {calibration['criterion']}", content)


def _run_path(visit: Visit) -> str:
    return f"/evals/{step(visit.parameters['eval_id'])}/runs/{step(visit.parameters['run_id'])}"


def _labels(text: str) -> list[tuple[int, bool]]:
    """The labels of an address, each row once: what was said of it last."""
    labels: dict[int, bool] = {}
    for part in filter(None, text.split(".")):
        label = _LABEL.fullmatch(part)
        if label is None or len(labels) > _MOST:
            raise ApiError(f"'labels' are such as 0p.3f, at most {_MOST}.", code="invalid_value", param="labels")
        labels[int(label[1])] = label[2] == "p"
    return list(labels.items())


def _written(labels: list[tuple[int, bool]]) -> str:
    return ".".join(f"{number}{'p' if passes else 'f'}" for number, passes in labels)


def _links(query: dict[str, str], labels: list[tuple[int, bool]], item: Any) -> dict[str, dict[str, str]]:
    """The queries of the pages that follow this row: with it passed, failed, or not labelled."""
    others = [label for label in labels if label[0] != item["datasource_item_id"]]
    onward = {**query, "after": item["id"]}
    return {
        "pass": {**onward, "labels": _written([*others, (item["datasource_item_id"], True)])},
        "fail": {**onward, "labels": _written([*others, (item["datasource_item_id"], False)])},
        "next": onward,
    }


def _criterion(eval_: Any, criterion_id: str | None) -> Any:
    """The grader of this id; without one the first that asks a model, else the first."""
    criteria = eval_["testing_criteria"]
    if criterion_id is None:
        return next((criterion for criterion in criteria if criterion.get("model")), criteria[0])
    for criterion in criteria:
        if criterion["id"] == criterion_id:
            return criterion
    raise ApiError("This eval has no such grader.", code="not_found", param="criterion", status=404)


def _question(criterion: Any) -> str:
    """What the judge is told, for the person who is to answer the same question."""
    messages = criterion.get("input")
    first = messages[0] if isinstance(messages, list) and messages else None
    told = first.get("content") if isinstance(first, dict) and first.get("role") in _TELLS else None
    return told if isinstance(told, str) else ""
