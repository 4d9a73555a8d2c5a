"""Who is answered by which target: always the same one, shares as the weights say, nobody leaves one that grows."""

from __future__ import annotations

import json
from collections import Counter
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliases.alias import Routing, StickyBy
from aliases.choosing import Call, caller_of, choose
from tests.aliases.build import SALT, STICKY, call, routing
from tests.examples import examples

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "alias_choices.json").read_text())
USERS = 100_000


def share(of: Routing, user: str, salt: str = SALT) -> str:
    return choose(of, salt, call(user)).model


@pytest.mark.soak
def test_of_many_users_nobody_leaves_a_weight_that_grows_and_the_weights_are_met(soak: bool) -> None:
    """A share is met within four standard errors of a binomial count, of 100,000 users; without `--soak` of 10,000."""
    users = [f"user-{number}" for number in range(USERS if soak else USERS // 10)]
    inside: set[str] = set()
    for percent in (5, 25):
        stage = routing(("big", 100 - percent), ("small", percent))
        now_inside = {user for user in users if share(stage, user) == "small"}
        assert inside <= now_inside
        expected = len(users) * percent / 100
        assert abs(len(now_inside) - expected) < 4 * sqrt(expected * (1 - percent / 100))
        inside = now_inside


weights = st.integers(min_value=0, max_value=1000)


@settings(max_examples=examples(100))
@given(st.lists(weights, min_size=2, max_size=6), st.data())
def test_a_weight_that_grows_only_draws_to_itself(before: list[int], data: st.DataObject) -> None:
    before[0] += 1
    grown = data.draw(st.integers(min_value=0, max_value=len(before) - 1))
    after = [weight + (position == grown) * data.draw(weights) for position, weight in enumerate(before)]
    salt = data.draw(st.text(max_size=8))
    stages = [routing(*((f"m{n}", weight) for n, weight in enumerate(some))) for some in (before, after)]
    for number in range(20):
        first, second = (choose(stage, salt, call(f"u{number}")) for stage in stages)
        assert first.weight > 0
        assert second.model in {first.model, f"m{grown}"}


def test_three_targets_share_as_they_weigh() -> None:
    counted = Counter(share(routing(("a", 1), ("b", 2), ("c", 5)), f"u{number}") for number in range(8_000))
    for model, weight in (("a", 1), ("b", 2), ("c", 5)):
        assert abs(counted[model] - 1000 * weight) < 4 * sqrt(1000 * weight)


def test_another_alias_draws_other_users_first() -> None:
    half = routing(("a", 1), ("b", 1))
    sides = [[share(half, f"u{number}", salt) for number in range(200)] for salt in ("one", "two")]
    assert 60 < sum(first == second for first, second in zip(*sides, strict=True)) < 140


def test_the_first_when_that_a_call_meets_decides() -> None:
    sliced = routing(
        ("big", 1),
        ("refunds", 1, {"topic": "refund", "tier": "gold"}),
        ("student", 1, {"topic": "refund"}),
        ("idle", 0, {"topic": "refund"}),
    )
    met = {
        "refunds": {"topic": "refund", "tier": "gold"},
        "student": {"topic": "refund", "tier": "iron"},
        "big": {"topic": "legal"},
    }
    for model, metadata in met.items():
        assert choose(sliced, SALT, call("u", metadata=metadata)).model == model
    assert choose(sliced, SALT, call("u")).model == "big"
    assert sliced.main == "big"


def chat(*contents: Any) -> list[dict[str, Any]]:
    roles = ("system", "user", "assistant", "user")
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def test_what_makes_calls_belong_together_comes_in_its_order() -> None:
    whole = call("ada", headers={"x-session": "s1"}, metadata={"customer": "c1"})
    assert caller_of(STICKY, whole) == "s1"
    assert caller_of(STICKY, whole._replace(headers={})) == "c1"
    assert caller_of(STICKY, whole._replace(headers={}, metadata={})) == "ada"
    assert caller_of(StickyBy(header="X-Session"), whole) == "s1"
    assert caller_of(None, whole) == "ada"
    assert caller_of(None, Call({"user": 7, "safety_identifier": "sid"}, [])) == "sid"
    by_text = caller_of(None, Call({}, chat("Be brief.", "Hi")))
    assert by_text == caller_of(None, Call({}, chat("Be brief.", [{"type": "text", "text": "Hi"}])))
    assert by_text != caller_of(None, Call({}, chat("Be brief.", "Ho")))


def test_a_conversation_stays_where_it_began() -> None:
    """What the model answered is no part of what it is known by: the first call has no answer yet."""
    with_system = chat("Be brief.", "Hi", "Hello!", "And?")
    assert caller_of(None, Call({}, with_system[:2])) == caller_of(None, Call({}, with_system))
    assert caller_of(None, Call({}, with_system[1:2])) == caller_of(None, Call({}, with_system[1:]))


def test_a_conversation_is_known_by_the_users_first_message_however_many_come_before_it() -> None:
    told = [{"role": role, "content": role} for role in ("system", "developer", "assistant")]
    begun = [[*told, {"role": "user", "content": text}] for text in ("Hi", "Ho")]
    first, other = (caller_of(None, Call({}, messages)) for messages in begun)
    assert first != other
    assert caller_of(None, Call({}, [*begun[0], {"role": "assistant", "content": "Hello!"}])) == first


@pytest.mark.parametrize(
    "messages", [[], [None], [7], [{"role": 1, "content": {}}], [{"content": [None, {"text": 1}]}]]
)
def test_odd_messages_are_answered_too(messages: list[Any]) -> None:
    assert choose(routing(("a", 1), ("b", 1)), SALT, Call({}, messages)).model in {"a", "b"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_the_wrappers_choose_too(case: dict[str, Any]) -> None:
    given_call = Call(case["request"], case["request"].get("messages", []), case["metadata"], case["headers"])
    assert choose(Routing.model_validate(case["routing"]), case["salt"], given_call).model == case["target"]
