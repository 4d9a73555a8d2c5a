"""Read the records of a push that are not plainly chat completions: those that `fast.plain_chat` has not recognised.

In: the records by their positions in the push, and the completions that were read already. Out: the completions, and
the ApiErrors of those that are refused. This module brings pydantic, so `ingest` imports it only when such a record
comes: a cold start with plain chats does without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capture import shapes
from capture.chains import Chains
from completions.completion import Completion
from foundation.errors import ApiError
from foundation.ids import now


def read(
    records: Mapping[int, Any], plain: Mapping[int, Completion]
) -> tuple[dict[int, Completion], dict[int, ApiError]]:
    """The completions and the refusals of these records by their positions.

    A response may follow one that is in the same push, also one of the `plain` ones.
    """
    completions: dict[int, Completion] = dict(plain)
    refusals: dict[int, ApiError] = {}
    chains = Chains(records)
    for position in chains.order():
        try:
            completions[position] = completion_of(records[position], chains.items_before(position, completions))
        except ApiError as refusal:
            refusals[position] = refusal
    return completions, refusals


def completion_of(record: Any, before: Sequence[Any] | None = None) -> Completion:
    """The completion in one record of any shape. Raises ApiError naming the field.

    `record` is a JSON value, or the ApiError with which the body's parser refused it. `before` has the items of all
    responses before this one, if it names the response before it.
    """
    if isinstance(record, ApiError):
        raise record
    if not isinstance(record, dict):
        raise ApiError("A record must be a JSON object with request and response.", code="invalid_type")
    return Completion.of(shapes.as_chat(record, before), at=now())
