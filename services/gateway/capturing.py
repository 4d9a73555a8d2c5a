"""Capture what a model answered. A capture that fails is logged and counted, and never fails the call."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from completions import recent
from completions.completion import Completion
from completions.handover import hand_over
from foundation.consumer import logger
from foundation.ids import new_id, now
from foundation.settings import settings

_CAPTURE_S = 10.0


def capture(record: Callable[[], dict[str, Any]], *, ends: float, at_once: bool = False) -> bool:
    """Whether the completion of a record is on its way to the recorder.

    `record` gives the fields of a Completion. `ends` is when the call is cut, on the monotonic clock. With `at_once`
    the completion can be read when this returns, not only once the recorder has written it.
    """
    try:
        completion = Completion.of(record(), at=now())
        work = [_beside().submit(hand_over, new_id("capture_"), [completion])]
        if at_once:
            work.append(_beside().submit(recent.keep, completion))
        for handed in work:
            # A queue that hangs would hold the answer until the API has cut the call.
            handed.result(timeout=max(1.0, min(_CAPTURE_S, ends - time.monotonic())))
    except Exception:  # noqa: BLE001 - whatever breaks here, the caller has its completion
        logger().exception("capture failed")
        count_failure()
        return False
    return True


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="capture")


def count_failure() -> None:
    """Write a metric to the log, which the stack's CaptureFailedAlarm watches."""
    namespace = settings().STACK_NAME
    with single_metric(name="CaptureFailed", unit=MetricUnit.Count, value=1, namespace=namespace):
        pass
