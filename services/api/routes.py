"""The REST resources, a module each. To add one: the module with its `router`, a line here."""

from __future__ import annotations

from api import (
    artifacts,
    calibrations,
    comparisons,
    completions,
    distillations,
    evals,
    exports,
    files,
    filters,
    keys,
    models,
    power,
    retention,
    runs,
    slices,
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
        power,
        runs,
        slices,
        comparisons,
        calibrations,
        files,
        webhooks,
        distillations,
        artifacts,
        models,
        keys,
    )
]
