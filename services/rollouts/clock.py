"""The two rules of EventBridge that rollouts need, which are on only while a rollout is open.

One hands captured completions that landed to the rollouts' queue, the other says once a minute that time has passed.
A rollout is written first and the rules are switched on then; so whoever switches them off and looks again afterwards
misses none.
"""

from __future__ import annotations

from collections.abc import Callable

from foundation import aws
from foundation.settings import settings

RULES = ("captured", "rollouts")
"""How the rules are called behind the stack's name."""


def start() -> None:
    """Switch the rules on. The rollout that needs them is written by now."""
    for name in _names():
        aws.events().enable_rule(Name=name)


def stop(is_any_open: Callable[[], bool]) -> None:
    """Switch the rules off where no rollout is open, by a consistent read before and another one after it."""
    if is_any_open():
        return
    for name in _names():
        aws.events().disable_rule(Name=name)
    if is_any_open():
        start()


def _names() -> list[str]:
    return [f"{settings().STACK_NAME}-{rule}" for rule in RULES]
