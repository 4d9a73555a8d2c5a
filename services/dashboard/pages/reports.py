"""Where the report of an object is: a verdict's page, that of two runs beside each other, or a dataset's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dashboard.answers import Answer, SeeOther
from dashboard.pages import comparisons, datasets, distillations
from dashboard.shown import step
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Reports")


@pages.get("/reports/<object_id>", scope="read", query=(Query("against", "Of a run, the one that it is held to."),))
def report(visit: Visit) -> Answer:
    """Go to the page that reports on an object."""
    object_id, against = visit.parameters["object_id"], visit.query.get("against")
    nodes = visit.api.get(f"/lineage/{step(object_id)}")["nodes"]
    kinds = {node["id"]: node["kind"] for node in nodes}
    kind = kinds.get(object_id, "")
    if kind == "dataset":
        return _page(visit, datasets.report, f"/datasets/{step(object_id)}/report", {"dataset_id": object_id})
    if kind == "distillation":
        return _of_distillation(visit, object_id)
    if kind == "verdict":
        return _of_distillation(visit, _above(nodes, "distillation", object_id))
    if kind == "run" and against:
        eval_id = _above(nodes, "eval", object_id)
        beside = replace(visit, query={"run": object_id, "baseline": against})
        return _page(beside, comparisons.compare, f"/evals/{step(eval_id)}/compare", {"eval_id": eval_id})
    if kind == "run":
        raise ApiError("Name the run that it is held to.", code="missing_required_parameter", param="against")
    raise ApiError(
        f"There is no report on a {kind or 'thing of this name'}: name a verdict, a distillation, a dataset or a run.",
        code="no_report",
        param="object_id",
        status=404,
    )


def _of_distillation(visit: Visit, distillation_id: str) -> Answer:
    path = f"/distillations/{step(distillation_id)}"
    return _page(visit, distillations.distillation, path, {"distillation_id": distillation_id})


def _page(visit: Visit, page: Callable[[Visit], Answer], path: str, parameters: Mapping[str, str]) -> Answer:
    """The page itself as a file: a program may reach the stack by another address than a redirection would name."""
    if not visit.as_file:
        return SeeOther(path, visit.query)
    return page(replace(visit, path=path, parameters=parameters))


def _above(nodes: list[Any], kind: str, object_id: str) -> str:
    above = next((node["id"] for node in nodes if node["kind"] == kind and node["side"] == "up"), None)
    if above is None:
        raise ApiError(f"What {object_id[:80]} belongs to was deleted.", code="not_found", status=404)
    return str(above)
