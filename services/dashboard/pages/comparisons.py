"""Runs of one eval beside each other: how sure each difference is, and every answer with each grade and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page
from dashboard.compared import beside, matrix, most_criteria, room, slice_lines
from dashboard.filters import tags_of
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Comparisons")
_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
_SHOWN = (
    Query("outcome", "Rows that were won, lost, right everywhere, wrong everywhere, or not graded."),
    Query("criterion", "The grader that decides."),
    Query("min_score", "The least score of that grader."),
    Query("max_score", "The highest score of that grader."),
    Query("tags", "Tags of the rows, as name=value."),
    Query("slice", "A slice: `slice[item.queue]=billing`.", _MAP),
)
_QUERY = (
    Query("run", "A run that is looked at."),
    Query("runs", "Runs that are looked at, by their ids: `runs[evalrun_1]=on`.", _MAP),
    Query("baseline", "The run that they are held against."),
    *_SHOWN,
    Query("after", "The row after which the page begins."),
)
_MOST_RUNS = 6
_OFFERED_RUNS = "30"
_A_PAGE, _A_PAGE_OF_MANY = 10, 5
_MANY = 3
OUTCOMES = (
    ("", "all"),
    ("won", "won"),
    ("lost", "lost"),
    ("all_wrong", "all wrong"),
    ("all_right", "all right"),
    ("errored", "not graded"),
)


@pages.get("/evals/<eval_id>/compare", scope="read", query=_QUERY)
def compare(visit: Visit) -> Answer:
    """Several runs against a base: the matrix, the slices, and a page of the rows of a filter."""
    path = f"/evals/{step(visit.parameters['eval_id'])}"
    chosen = _chosen(visit.query)
    rows = [Asked(f"{path}/compared_rows", _asked_rows(visit.query, chosen))] if chosen else []
    eval_, offered, *answered = visit.api.all(
        [
            Asked(path),
            Asked(f"{path}/runs", {"order": "desc", "limit": _OFFERED_RUNS, "status": "completed"}),
            *rows,
            *(Asked(f"{path}/runs/{step(run)}") for run in chosen),
            *(Asked(f"{path}/runs/{step(run)}/comparison", {"baseline": chosen[0]}) for run in chosen[1:]),
        ]
    )
    if eval_ is None or any(document is None for document in answered):
        raise ApiError("There is no such eval, or no such run of it.", code="not_found", status=404)
    content = {
        "eval": eval_,
        "offered": offered["data"] if offered else [],
        "chosen": chosen,
        "names": {criterion["id"]: criterion["name"] for criterion in eval_["testing_criteria"]},
        "query": dict(visit.query),
        "kept": {name: value for name, value in visit.query.items() if name != "after"},
        "outcomes": OUTCOMES,
    }
    if not chosen:
        return Page("comparison_choice.html", "Compare runs", content)
    page, runs, comparisons = answered[0], answered[1 : 1 + len(chosen)], answered[1 + len(chosen) :]
    return Page("comparison.html", _title(runs), content | _compared(visit.query, eval_, page, runs, comparisons))


def _compared(query: Mapping[str, str], eval_: Any, page: Any, runs: list[Any], comparisons: list[Any]) -> Any:
    rows = [beside(row, query.get("criterion")) for row in page["data"]]
    return {
        "page": page,
        "rows": rows,
        "room": room(rows),
        "runs": runs,
        "comparisons": comparisons,
        "most": most_criteria(len(runs)),
        "lines": matrix(eval_, runs, comparisons),
        "slices": slice_lines(comparisons),
        "counts": {"": sum(page["counts"].values()), **page["counts"]},
    }


def _title(runs: list[Any]) -> str:
    names = [run["name"] or run["id"] for run in runs]
    return f"{', '.join(names[1:])} against {names[0]}" if names[1:] else names[0]


def _chosen(query: Mapping[str, str]) -> list[str]:
    """The ids of the runs, the base first, each once."""
    members = [name.removeprefix("runs[").removesuffix("]") for name in query if name.startswith("runs[")]
    named = [query.get("baseline", ""), query.get("run", ""), *members]
    chosen = [run for run in dict.fromkeys(named) if run]
    if len(chosen) > _MOST_RUNS:
        raise ApiError(f"Choose at most {_MOST_RUNS} runs.", code="invalid_value", param="runs")
    return chosen


def _asked_rows(query: Mapping[str, str], chosen: list[str]) -> dict[str, str]:
    """The query of the API's rows."""
    limit = _A_PAGE if len(chosen) <= _MANY else _A_PAGE_OF_MANY
    same = ("outcome", "criterion", "min_score", "max_score", "after")
    tags = {f"slice[{name}]": value for name, value in tags_of(query.get("tags", "")).items()}
    slices = {name: value for name, value in query.items() if name.startswith("slice[")}
    asked = {name: query[name] for name in same if name in query}
    return {"runs": ",".join(chosen), "limit": str(limit), **asked, **tags, **slices}
