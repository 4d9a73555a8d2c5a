"""The REST resources by the first step of their paths. To add one: its module with a `router`, its line here.

A process imports the modules of the resources that it is asked for, and no others, which keeps its start short.
"""

from __future__ import annotations

from importlib import import_module

from foundation.routes import Routes

MODULES = {
    "chat": ["completions", "corrections", "completion_grades", "dataset_rows"],
    "exports": ["exports"],
    "aliases": ["aliases", "alias_drift"],
    "rollouts": ["rollouts"],
    "filters": ["filters"],
    "retention_policies": ["retention"],
    "usage": ["usage"],
    "costs": ["costs"],
    "evals": ["evals", "runs", "power", "slices", "comparisons", "calibrations", "previews"],
    "files": ["files"],
    "channels": ["channels"],
    "webhook_endpoints": ["webhooks"],
    "webhook_event_types": ["webhooks"],
    "distillations": ["distillations"],
    "verdicts": ["verdicts"],
    "datasets": ["datasets", "dataset_rows", "dataset_report", "learning_curves"],
    "fine_tuning": ["fine_tuning", "training_estimate", "graders"],
    "lineage": ["artifacts"],
    "keys": ["keys"],
    "providers": ["providers"],
    "hooks": ["hooks"],
    "models": ["models"],
    "deployments": ["deployments"],
    "health": ["health"],
    "experiments": ["experiments"],
    "openapi.json": ["description"],
}


def routes_at(step: str) -> list[Routes]:
    """The routes whose path begins with `/v1/<step>`; none where no resource is called so."""
    return [_router(name) for name in MODULES.get(step, [])]


def every_router() -> list[Routes]:
    """The routes of every resource."""
    names = dict.fromkeys(name for names in MODULES.values() for name in names)
    return [_router(name) for name in names]


def _router(name: str) -> Routes:
    router: Routes = import_module(f"api.{name}").router
    return router
