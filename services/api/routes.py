"""The REST resources, a module each. To add one: the module with its `router`, a line here."""

from __future__ import annotations

from api import (
    artifacts,
    completions,
    distillations,
    evals,
    exports,
    files,
    filters,
    keys,
    models,
    retention,
    runs,
    usage,
    webhooks,
)

ROUTERS = [
    module.router
    for module in (
        completions,
        exports,
        filters,
        retention,
        usage,
        evals,
        runs,
        files,
        webhooks,
        distillations,
        artifacts,
        models,
        keys,
    )
]
