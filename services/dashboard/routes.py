"""The pages. To add one: its function in a module of `pages/`, that module here, its template."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from foundation.routes import Route

_MODULES = (
    "first_run",
    "signing_in",
    "files",
    "completion_pairs",
    "saved_filters",
    "completions",
    "evals",
    "new_eval",
    "runs",
    "comparisons",
    "labelling",
    "datasets",
    "distillations",
    "reports",
    "new_distillation",
    "lineages",
    "experiments",
    "models",
    "aliases",
    "rollouts",
    "alias_drift",
    "usage",
    "health",
    "channels",
    "settings",
)


@cache
def routes() -> list[Route]:
    """Every page; one whose path has no parameter before one that takes it for an id."""
    routers = [import_module(f"dashboard.pages.{name}").pages for name in _MODULES]
    return sorted((route for router in routers for route in router.declared), key=lambda route: len(route.parameters))
