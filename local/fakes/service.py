"""One of AWS's services: a call is held against its model, answered by its handler, and the answer held as well.

In: calls. Out: replies. A request that breaks the model is AWS's `ValidationException`; an answer that breaks it is a
defect of the fake, which ends in a 500 and in its log. Calls under the same lock are answered one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from local.fakes.controls import Controls
from local.fakes.walker import Violation, request_violations, response_violations, violations
from local.fakes.wire import AwsError, Call, Reply, Sent, decode, encode, error_reply, stream_kinds

type Lock = AbstractContextManager[object]
type Handler = Callable[[dict[str, Any]], dict[str, Any]]

_log = logging.getLogger(__name__)


class Service:
    """A service by its name in botocore, with a handler for each operation that it answers."""

    def __init__(self, name: str, handlers: Mapping[str, Handler], controls: Controls, lock: Lock) -> None:
        self.name = name
        self._handlers = handlers
        self._controls = controls
        self._lock = lock

    def reply(self, sent: Sent) -> Reply:
        try:
            call = decode(self.name, sent)
            with self._lock:
                return self._answered(call)
        except AwsError as error:
            return error_reply(self.name, error)

    def _answered(self, call: Call) -> Reply:
        self._controls.count(call.operation)
        self._controls.strike(call.operation, "before")
        self._refuse_broken(call)
        handler = self._handlers.get(call.operation)
        if handler is None:
            raise AwsError("UnknownOperationException", f"The fake does not have {call.operation}.")
        answer = handler(call.parameters)
        broken = _broken_answer(call, answer)
        if broken:
            told = "; ".join(str(violation) for violation in broken)
            _log.error("%s.%s answers what AWS would not: %s", call.service, call.operation, told)
            return Reply(500, b"{}", {"x-amzn-ErrorType": "FakeDefect"})
        self._controls.strike(call.operation, "after")
        return encode(call, answer)

    def _refuse_broken(self, call: Call) -> None:
        broken = request_violations(call.service, call.operation, call.parameters)
        if not broken:
            return
        detail = "; ".join(
            f"Value at '{violation.path}' failed to satisfy constraint: {violation}" for violation in broken
        )
        plural = "error" if len(broken) == 1 else "errors"
        raise AwsError("ValidationException", f"{len(broken)} validation {plural} detected: {detail}")


def _broken_answer(call: Call, answer: dict[str, Any]) -> list[Violation]:
    if not call.model.has_event_stream_output:
        return response_violations(call.service, call.operation, answer)
    [events] = answer.values()
    kinds = stream_kinds(call)
    named = [(kinds[kind], value) for event in events for kind, value in event.items()]
    return [violation for shape, value in named for violation in violations(shape, value)]
