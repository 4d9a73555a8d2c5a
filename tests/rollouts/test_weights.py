"""What the alias says in each stage: no user changes sides while the candidate's share grows."""

from __future__ import annotations

import pytest

from aliases.alias import MOST_TARGETS, Cascade, Routing, Target
from aliases.choosing import choose
from rollouts.rollout import Rollout
from rollouts.weights import has_both, has_place, in_stage, stable_of, taken_back
from tests.aliases.build import SALT, call, routing
from tests.rollouts.build import CANDIDATE, SLICE, STABLE, rollout


def at(stage: int, given: Routing, **fields: object) -> Routing:
    return in_stage(given, rollout(stage=stage, **fields))


def test_each_stage_has_its_share_and_leaves_the_rest_alone() -> None:
    given = routing((STABLE, 1), SLICE, fallback="lab-large", sticky_by={"header": "x-session"})
    assert at(0, given) == given
    changed = at(2, given)
    assert [(target.model, target.weight) for target in changed.targets] == [(STABLE, 95), (CANDIDATE, 5), SLICE[:2]]
    assert (changed.sticky_by, changed.fallback) == (given.sticky_by, "lab-large")
    assert at(4, given).targets[0] == Target(model=CANDIDATE, weight=100)


def test_the_stable_model_stands_in_for_the_candidate_unless_another_does() -> None:
    assert at(1, routing((STABLE, 1))).fallback == STABLE
    assert at(4, routing((STABLE, 1))).fallback == STABLE
    assert at(4, routing((STABLE, 1), fallback="lab-large")).fallback == "lab-large"
    assert at(4, routing((STABLE, 1), fallback=CANDIDATE)).fallback == STABLE


@pytest.mark.parametrize("given", [routing((STABLE, 7), SLICE), routing((STABLE, 1), (CANDIDATE, 0), fallback="x")])
@pytest.mark.parametrize("stage", [0, 1, 3, 4])
def test_going_back_gives_what_was_before_from_every_stage(given: Routing, stage: int) -> None:
    of = rollout(stage=stage, before=given)
    back = taken_back(in_stage(given, of), of)
    assert [target for target in back.targets if target.weight] == [target for target in given.targets if target.weight]
    assert back.fallback == given.fallback
    assert taken_back(back, of) == back


def test_what_somebody_has_changed_beside_it_stays() -> None:
    of = rollout(stage=2)
    changed = in_stage(of.before, of).model_copy(update={"fallback": "lab-large"})
    slices = [*changed.targets, Target(model="x", when={"topic": "refund"})]
    back = taken_back(changed.model_copy(update={"targets": slices}), of)
    assert (back.fallback, [target.model for target in back.targets if target.when]) == (
        "lab-large",
        ["lab-large", "x"],
    )


def slices(number: int) -> list[tuple[str, int, dict[str, str]]]:
    return [("lab-large", 1, {"topic": str(place)}) for place in range(number)]


@pytest.mark.parametrize(
    ("stages", "beside", "has"),
    [([0, 5, 100], 18, True), ([0, 5, 100], 19, False), ([0, 100], 19, True), ([100], 19, True), ([5, 100], 19, False)],
)
def test_an_alias_that_is_full_has_no_place_for_a_second_model(stages: list[int], beside: int, has: bool) -> None:
    given = routing((STABLE, 1), *slices(beside))
    of = rollout(stages=stages)
    assert has_place(given, of) is has
    assert has_place(routing((STABLE, 1), (CANDIDATE, 0), *slices(18)), of)
    for stage in range(len(stages)) if has else ():
        assert len(in_stage(given, of.model_copy(update={"stage": stage})).targets) <= MOST_TARGETS


def test_going_back_is_possible_however_many_slices_somebody_has_added() -> None:
    given = routing((STABLE, 1), *((f"old-{number}", 0) for number in range(9)))
    of = rollout(stage=4, before=given)
    back = taken_back(routing((CANDIDATE, 100), *slices(19)), of)
    assert [(target.model, target.weight) for target in back.targets if not target.when] == [(STABLE, 1)]
    assert len(back.targets) == MOST_TARGETS
    kept = taken_back(routing((CANDIDATE, 100), *slices(10)), of)
    assert [target for target in kept.targets if not target.when] == given.targets


def test_a_cascade_that_a_target_has_stays_with_it() -> None:
    cascade = Cascade(to="lab-large", by="logprob", threshold=-0.5)
    given = Routing(targets=[Target(model=STABLE, cascade=cascade)])
    assert at(1, given).targets[0] == Target(model=STABLE, weight=99, cascade=cascade)


def test_one_model_must_answer_before() -> None:
    assert stable_of(routing((STABLE, 3), (CANDIDATE, 0), SLICE)) == STABLE
    assert stable_of(routing((STABLE, 3), (CANDIDATE, 1))) is None


@pytest.mark.parametrize(
    ("stage", "targets", "can"),
    [
        (0, [(STABLE, 1)], True),
        (0, [(CANDIDATE, 1)], False),
        (2, [(STABLE, 1), (CANDIDATE, 1)], True),
        (2, [(STABLE, 1), (CANDIDATE, 0)], False),
        (2, [(STABLE, 1), (CANDIDATE, 1), ("lab-large", 1)], False),
        (2, [(STABLE, 1), (CANDIDATE, 1), ("lab-large", 0), SLICE], True),
        (2, [(STABLE, 1), (CANDIDATE, 1, {"a": "b"})], False),
        (4, [(CANDIDATE, 1)], True),
        (4, [(STABLE, 1)], False),
    ],
)
def test_it_goes_on_with_an_alias_that_has_the_models_of_its_stage(stage: int, targets: list, can: bool) -> None:
    assert has_both(routing(*targets), rollout(stage=stage)) is can


def test_who_is_at_the_candidate_stays_there_while_its_share_grows() -> None:
    users = [call(f"user-{number}") for number in range(3000)]
    of, before = rollout(), set()
    for stage, percent in enumerate(of.stages):
        going: Rollout = of.model_copy(update={"stage": stage})
        changed = in_stage(of.before, going)
        there = {one.request["user"] for one in users if choose(changed, SALT, one).model == CANDIDATE}
        assert before <= there
        assert abs(len(there) / len(users) - percent / 100) < 0.03
        before = there
