"""Datasets: their list, one with what its rules did, its rows by what became of them, its report."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple

from dashboard.answers import Answer, Page
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from distillations.report.document import DatasetReport
from distillations.report.figures import figures
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Datasets")
_AFTER = Query("after", "The id after which the page begins.")
_WHICH = (Query("outcome", "What became of the rows."), Query("rule", "The rule that did something to them."))
_MOST_OF_PLOTS = 120_000
"""The most letters that the plots of a page have together."""


class Plot(NamedTuple):
    """A plot as an image that stands in the page, and its numbers."""

    title: str
    description: str
    image: str
    head: list[str]
    rows: list[list[str]]


@pages.get("/datasets", scope="read", query=(_AFTER,))
def datasets(visit: Visit) -> Answer:
    """The datasets, the newest first."""
    return Page("datasets.html", "Datasets", {"page": visit.api.get("/datasets", {"order": "desc", **visit.query})})


@pages.get("/datasets/<dataset_id>", scope="read", query=(_AFTER, *_WHICH))
def dataset(visit: Visit) -> Answer:
    """A dataset and a page of its rows."""
    path = f"/datasets/{step(visit.parameters['dataset_id'])}"
    found, rows = visit.api.all([Asked(path), Asked(f"{path}/rows", {"limit": "20", **visit.query})])
    if found is None:
        raise ApiError("There is no such dataset.", code="not_found", status=404)
    page = rows or {"data": [], "has_more": False}
    card = found["card"] or {"dropped": {}, "changed": {}}
    dropped = sorted(((count, rule) for rule, count in card["dropped"].items() if count), reverse=True)
    content = {"dataset": found, "page": page, "dropped": dropped, "query": dict(visit.query)}
    return Page("dataset.html", f"Dataset {found['id']}", content)


@pages.get("/datasets/<dataset_id>/report", scope="read")
def report(visit: Visit) -> Answer:
    """What a dataset holds and where it does not look like production, with plots and their numbers."""
    dataset_id = visit.parameters["dataset_id"]
    document = DatasetReport.model_validate(visit.api.get(f"/datasets/{step(dataset_id)}/report"))
    plots = list(_plots(document))
    return Page("dataset_report.html", f"Report of {dataset_id}", {"report": document, "plots": plots})


def _plots(document: DatasetReport) -> Iterable[Plot]:
    """The plots of a report, as many as a page can hold."""
    room = _MOST_OF_PLOTS
    for figure in figures(document):
        image = base64.b64encode(figure.svg.encode()).decode()
        rows = [list(map(str, row)) for row in figure.rows]
        room -= len(image) + sum(len(cell) for row in rows for cell in row)
        if room < 0:
            return
        yield Plot(figure.title, figure.description, f"data:image/svg+xml;base64,{image}", list(figure.head), rows)
