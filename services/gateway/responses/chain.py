"""The items of the captured responses before a new one.

In: the id that a request gives as its `previous_response_id`. Out: every item of that response and of those before it.
Raises ApiError naming the field where it was never captured, was deleted, is a chat completion, or is too long.
"""

from __future__ import annotations

from typing import Any

import orjson

from completions.responses.stored import captured
from foundation.edge import MAX_BODY
from foundation.errors import ApiError

_PARAM = "previous_response_id"
_SHOWN = 256


def items_before(previous: Any) -> list[Any]:
    """The items of a response's input, of the responses before it and of its output; none for None."""
    if previous is None:
        return []
    if not isinstance(previous, str):
        raise ApiError(f"Invalid '{_PARAM}': a text is expected.", code="invalid_type", param=_PARAM)
    completion = captured(previous)
    if completion is None:
        raise ApiError(
            f"Previous response with id '{previous[:_SHOWN]}' not found: it was deleted, said store=false, or was "
            "not made here. Send its items in input instead.",
            code="previous_response_not_found",
            param=_PARAM,
        )
    if completion.original is None:
        raise ApiError(f"'{previous[:_SHOWN]}' is a chat completion, no response.", code="invalid_value", param=_PARAM)
    items = [*completion.original["input_items"], *(completion.original["response"].get("output") or ())]
    size = len(orjson.dumps(items))
    if size > MAX_BODY:
        raise ApiError(
            f"The responses before this one have {size} bytes, at most {MAX_BODY} are sent along. Begin anew with what "
            "is needed of them in input.",
            code="history_too_large",
            param=_PARAM,
        )
    return items
