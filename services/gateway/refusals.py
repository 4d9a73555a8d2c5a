"""Keep a call that the provider refused, where the alias that it was made by is being rolled out.

In: the call's policy, the refusal, and how its record is made. Out: a captured completion that failed, with what the
provider said, so that the rollout asks the other model the same and knows whose fault it was. Without it a model whose
provider refuses every call would answer all users with errors, and nothing would be known of it. Nothing is kept where
`store` is not true, nor of a provider that is away: a fallback stands in for that, and a pause tells of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aliases.rolling_out import is_rolled_out
from foundation.bounds import cut
from foundation.consumer import logger
from foundation.ids import new_id
from gateway.capturing import capture, count_failure
from gateway.policy import Policy
from providers import ProviderAway, ProviderRefused

_LONGEST_CODE = 256


def keep_refusal(
    refusal: ProviderRefused, policy: Policy, record: Callable[[dict[str, Any]], dict[str, Any]], *, ends: float
) -> bool:
    """Whether the call is on its way to the recorder. `record` makes its fields of the response that it had."""
    if not policy.store or policy.alias is None or isinstance(refusal, ProviderAway):
        return False
    try:
        if not is_rolled_out(policy.alias["name"]):
            return False
    except (BotoCoreError, ClientError):
        logger().exception("whether an alias is rolled out is not known")
        count_failure()
        return False
    return capture(lambda: record(_failed(refusal)), ends=ends)


def is_sound(messages: list[Any]) -> bool:
    """Whether messages can be captured: the provider may have refused them for being none."""
    return all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages)


def _failed(refusal: ProviderRefused) -> dict[str, Any]:
    """The response of a call that failed. Each has an id of its own: many fail in the same way at the same time."""
    code = None if refusal.code is None else cut(str(refusal.code), _LONGEST_CODE)
    error = {"message": cut(refusal.message), "code": code, "status": refusal.status}
    return {"id": new_id("chatcmpl-"), "error": error, "choices": []}
