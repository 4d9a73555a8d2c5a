"""Where the report of an object is: a verdict's page, that of two runs beside each other, or a dataset's."""

from __future__ import annotations

from typing import Any

from dashboard.answers import Answer, SeeOther
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
        return _page(visit, f"/datasets/{step(object_id)}/report")
    if kind == "distillation":
        return _page(visit, f"/distillations/{step(object_id)}")
    if kind == "verdict":
        return _page(visit, f"/distillations/{step(_above(nodes, 'distillation', object_id))}")
    if kind == "run" and against:
        eval_id = step(_above(nodes, "eval", object_id))
        return _page(visit, f"/evals/{eval_id}/compare", {"run": object_id, "baseline": against})
    if kind == "run":
        raise ApiError("Name the run that it is held to.", code="missing_required_parameter", param="against")
    raise ApiError(
        f"There is no report on a {kind or 'thing of this name'}: name a verdict, a distillation, a dataset or a run.",
        code="no_report",
        param="object_id",
        status=404,
    )


def _page(visit: Visit, path: str, query: dict[str, str] | None = None) -> SeeOther:
    return SeeOther(path, {**(query or {}), **({"file": "1"} if visit.as_file else {})})


def _above(nodes: list[Any], kind: str, object_id: str) -> str:
    above = next((node["id"] for node in nodes if node["kind"] == kind and node["side"] == "up"), None)
    if above is None:
        raise ApiError(f"What {object_id[:80]} belongs to was deleted.", code="not_found", status=404)
    return str(above)
