"""The gateway's entry for a runtime of our own in a process of the benches: AWS is cut away, the provider is not."""

from __future__ import annotations

import os
from typing import Any

from tests.bench.cut import cut

_PROVIDER = os.environ["PROVIDER_BASE_URL"]
cut()
os.environ["PROVIDER_BASE_URL"] = _PROVIDER


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    from gateway import handler

    return handler.http_entry(event, context)
