"""Datasets: their list, one with what its rules did, its rows by what became of them, its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import turns
from dashboard.answers import Answer, Page, SeeOther
from dashboard.linked import row_path
from dashboard.plotted import plotted
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.undone import LASTING, made_anew
from dashboard.visit import Visit
from distillations.report.document import DatasetReport
from distillations.report.figures import figures
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Datasets")
_AFTER = Query("after", "The id after which the page begins.")
_TICK = "keep:"
"""The fields of the form that undoes drops begin with it, and end in a row's id."""
_A_PAGE, _A_PAGE_OF_PAIRS = 20, 5
_MOST_OTHERS = 3
_MOST_TEXTS = 10
"""The most completions that a page reads for their texts: each is a call."""
_WHICH = (Query("outcome", "What became of the rows."), Query("rule", "The rule that did something to them."))


@pages.get("/datasets", scope="read", query=(_AFTER,))
def datasets(visit: Visit) -> Answer:
    """The datasets, the newest first."""
    return Page("datasets.html", "Datasets", {"page": visit.api.get("/datasets", {"order": "desc", **visit.query})})


@pages.get("/datasets/<dataset_id>", scope="read", query=(_AFTER, *_WHICH))
def dataset(visit: Visit) -> Answer:
    """A dataset and a page of its rows; those that a rule dropped with their texts, and that of the row beside them."""
    path = _path(visit)
    dropped = visit.query.get("outcome") == "dropped" or "rule" in visit.query
    limit = str(_A_PAGE_OF_PAIRS if dropped else _A_PAGE)
    found, rows = visit.api.all([Asked(path), Asked(f"{path}/rows", {"limit": limit, **visit.query})])
    if found is None:
        raise ApiError("There is no such dataset.", code="not_found", status=404)
    page = rows or {"data": [], "has_more": False}
    card = found["card"] or {"dropped": {}, "changed": {}}
    counts = sorted(((count, rule) for rule, count in card["dropped"].items() if count), reverse=True)
    content = {
        "dataset": found,
        "page": page,
        "texts": _texts(visit, page["data"]) if dropped else {},
        "dropped": counts,
        "undoable": [row["id"] for row in page["data"] if visit.may("write") and _is_undoable(row)],
        "query": dict(visit.query),
    }
    return Page("dataset.html", f"Dataset {found['id']}", content)


@pages.get("/datasets/<dataset_id>/rows/<row_id>", scope="read")
def row(visit: Visit) -> Answer:
    """What became of one row, beside the rows that explain it."""
    path, row_id = _path(visit), visit.parameters["row_id"]
    found, looked_at = visit.api.all([Asked(path), Asked(f"{path}/rows/{step(row_id)}")])
    if found is None or looked_at is None:
        raise ApiError("There is no such row in this dataset.", code="not_found", status=404)
    content = {
        "dataset": found,
        "row": looked_at,
        "texts": _texts(visit, [looked_at], others=_MOST_OTHERS),
        "undoable": _is_undoable(looked_at),
    }
    return Page("dataset_row.html", f"Row {row_id}", content)


@pages.post("/datasets/<dataset_id>/keep", scope="write")
def keep(visit: Visit) -> Answer:
    """Undo drops: make the dataset anew with the rows that were ticked."""
    path = _path(visit)
    chosen = [name.removeprefix(_TICK) for name in visit.form() if name.startswith(_TICK)]
    if not chosen:
        raise ApiError("Tick the rows that are to train after all.", code="missing_required_parameter", param="keep")
    found = visit.api.get(path)
    made_for = found["distillation_id"]
    distillation = visit.api.get(f"/distillations/{step(made_for)}") if made_for else None
    made = visit.api.post("/datasets", made_anew(found, chosen, distillation))
    return SeeOther(f"/datasets/{step(made['id'])}")


@pages.get("/datasets/<dataset_id>/report", scope="read")
def report(visit: Visit) -> Answer:
    """What a dataset holds and where it does not look like production, with plots and their numbers."""
    dataset_id = visit.parameters["dataset_id"]
    document = DatasetReport.model_validate(visit.api.get(f"/datasets/{step(dataset_id)}/report"))
    plots = list(plotted(figures(document)))
    return Page("dataset_report.html", f"Report of {dataset_id}", {"report": document, "plots": plots})


def _path(visit: Visit) -> str:
    return f"/datasets/{step(visit.parameters['dataset_id'])}"


def _is_undoable(row: Mapping[str, Any]) -> bool:
    last = row["evidence"][-1] if row["evidence"] else None
    return row["outcome"] == "dropped" and last is not None and last["rule"] not in LASTING


def _texts(visit: Visit, rows: Sequence[Mapping[str, Any]], *, others: int = 1) -> dict[str, turns.Row]:
    """The completions of rows, and of the first ones that explain them, by id; without those that are gone."""
    wanted: dict[str, None] = {}
    for found in rows:
        wanted[found["id"]] = None
        for evidence in found["evidence"]:
            wanted |= dict.fromkeys(evidence["others"][:others])
    stored = [row_id for row_id in wanted if row_path(row_id)][:_MOST_TEXTS]
    completions = visit.api.all([Asked(f"/chat/completions/{step(row_id)}") for row_id in stored])
    messages = visit.api.all(
        [Asked(f"/chat/completions/{step(row_id)}/messages", {"limit": "1", "order": "desc"}) for row_id in stored]
    )
    return {
        row_id: turns.row({**completion, "messages": asked["data"] if asked else []})
        for row_id, completion, asked in zip(stored, completions, messages, strict=True)
        if completion is not None
    }
