"""A rollout is begun once, whatever breaks off, and an alias has one open rollout."""

from __future__ import annotations

from functools import partial

import pytest

from aliases import changing
from aliases.changing import Said
from aliases.rolling_out import OPEN_ROLLOUTS
from evals.eval import Eval
from foundation import table
from foundation.errors import ApiError, Conflict, RetryLater
from notifications.alerts import Alert
from notifications.notices import Notice
from providers.model_version import ModelVersion
from rollouts import starting, verbs
from rollouts.advancing import advance
from rollouts.gates import Gates
from rollouts.moving import step_of
from rollouts.rollout import Rollout
from rollouts.starting import Wanted
from rollouts.verbs import Asked
from tests.aliases.build import routing
from tests.flow.faults import Hook, injected
from tests.flow.system import System
from tests.rollouts.build import CANDIDATE, NAME, STABLE, alias, weights

SETTINGS = {"share": 1.0, "max_usd": 5.0}


@pytest.fixture(autouse=True)
def given(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alias and the eval; models have a price."""
    assert system
    monkeypatch.setattr(starting, "is_priced", lambda _: True)
    changing.put(NAME, routing((STABLE, 1)), Said("first"))
    criterion = {"type": "regex", "name": "short", "id": "short", "input": "{{ sample.output_text }}", "pattern": "."}
    Eval(id="eval_1", created_at=1, name="replies", data_source_config={}, testing_criteria=[criterion]).create()


def begin(rollout_id: str) -> Rollout:
    wanted = Wanted(NAME, CANDIDATE, "eval_1", "eval_id", None, Gates(), [5, 100], "first", SETTINGS)
    return starting.begin(rollout_id, wanted)


@pytest.mark.parametrize("when", ["before", "after"])
def test_any_call_may_fail_and_the_retry_begins_it_once(when: str, monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    for n in range(1, 60, 1 if soak else 5):
        rollout_id, before = f"rollout_{n}", alias().version
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            hook.around("api", partial(_begin, rollout_id))
        for _ in range(2):
            made = begin(rollout_id)
        assert (made.status, made.move, weights()) == ("running", None, {STABLE: 95, CANDIDATE: 5}), n
        assert (alias().version, made.alias_version) == (before + 1, before + 1), n
        assert [step.kind for step in made.steps] == ["started"], n
        assert len([alert for alert in Alert.every() if alert.object_id == rollout_id]) == 1, n
        assert [open_.id for open_ in Rollout.open_ones()] == [rollout_id], n
        verbs.roll_back(rollout_id, Asked("first"))
        if not hook.struck:
            return
    raise AssertionError("it never begins")


def _begin(rollout_id: str) -> None:
    begin(rollout_id)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", [verbs.roll_back, verbs.freeze])
def test_what_somebody_asks_for_is_done_once_though_any_call_fails(
    verb: object, when: str, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    for n in range(1, 60, 1 if soak else 6):
        rollout_id = begin(f"rollout_{n}").id
        before = alias().version
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            hook.around("api", partial(verb, rollout_id, Asked("first")))
        for _ in range(2):
            done = verb(rollout_id, Asked("first"))
        goes_back = verb is verbs.roll_back
        assert len(done.steps) == 2, n
        assert (done.move, alias().version - before) == (None, int(goes_back)), n
        verbs.roll_back(rollout_id, Asked("first"))
        if not hook.struck:
            return
    raise AssertionError("it never comes to its end")


def test_the_second_one_is_refused_and_who_was_killed_holds_no_place() -> None:
    begin("rollout_1")
    with pytest.raises(Conflict, match="rollout_1"):
        begin("rollout_2")
    verbs.roll_back("rollout_1", Asked("first"))
    table.put({"pk": OPEN_ROLLOUTS, "sk": NAME, "rollout_id": "rollout_killed", "at": starting.now()})
    with pytest.raises(RetryLater):
        begin("rollout_2")
    table.put({"pk": OPEN_ROLLOUTS, "sk": NAME, "rollout_id": "rollout_killed", "at": starting.now() - 121})
    assert begin("rollout_2").is_open


def test_none_begins_while_the_alias_of_another_is_still_to_be_given_back() -> None:
    ending = begin("rollout_1")
    ending.change({"status": "rolled_back", "move": step_of(ending, "rolled_back", "A complaint.")})
    with pytest.raises(RetryLater, match="rollout_1"):
        begin("rollout_2")
    assert Rollout.open_of(NAME)
    advance("rollout_1")
    assert begin("rollout_2").is_open


def test_the_way_back_from_a_promotion_is_found_where_it_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    promoted = begin("rollout_1")
    changing.put(NAME, routing((CANDIDATE, 1)), Said("rollout"))
    promoted.change({"status": "promoted", "stage": len(promoted.stages) - 1})
    table.update(OPEN_ROLLOUTS, NAME, {"rollout_id": ""})
    monkeypatch.setattr(changing, "put", _killed)
    with pytest.raises(KeyboardInterrupt):
        verbs.roll_back("rollout_1", Asked("first"))
    monkeypatch.undo()
    assert [rollout.id for rollout in Rollout.open_ones()] == ["rollout_1"]
    advance("rollout_1")
    assert ([target.model for target in alias().targets], list(Rollout.open_ones())) == ([STABLE], [])


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_of_two_at_once_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    take, others = starting.take_place, ["rollout_2"]

    def late(rollout: Rollout) -> None:
        if others:
            begin(others.pop())
        take(rollout)

    monkeypatch.setattr(starting, "take_place", late)
    with pytest.raises(Conflict, match="rollout_2"):
        begin("rollout_1")
    assert [rollout.id for rollout in Rollout.every()] == ["rollout_2"]


@pytest.mark.parametrize("model", [CANDIDATE, STABLE, "other-judge"])
def test_of_every_model_that_is_asked_a_price_must_be_known(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [{"role": "user", "content": "Rate: {{ sample.output_text }}"}]
    judge = {"type": "score_model", "name": "judge", "id": "judge", "model": "other-judge", "input": asked}
    Eval.load("eval_1").change({"testing_criteria": [judge]})
    monkeypatch.setattr(starting, "is_priced", lambda name: name != model)
    with pytest.raises(ApiError, match=f"'{model}' has no known price"):
        begin("rollout_1")
    assert table.get(OPEN_ROLLOUTS, NAME) is None


def test_an_older_rollout_is_not_rolled_back_under_a_younger_one() -> None:
    begin("rollout_1").change({"status": "promoted", "stage": 1})
    changing.put(NAME, routing((STABLE, 1)), Said("first"))
    begin("rollout_2")
    with pytest.raises(Conflict, match="rollout_2"):
        verbs.roll_back("rollout_1", Asked("first"))


@pytest.mark.parametrize("is_there", [True, False])
def test_what_another_model_has_followed_since_is_not_rolled_back(is_there: bool) -> None:
    """Its alias would stay as it is, and people would be told that the model of before answers again."""
    begin("rollout_1").change({"status": "promoted", "stage": 1})
    changing.put(NAME, routing(("lab-large", 1)), Said("first"))
    if not is_there:
        changing.delete(NAME, Said("first"))
    with pytest.raises(Conflict, match="answers no calls"):
        verbs.roll_back("rollout_1", Asked("first"))
    assert Rollout.load("rollout_1").status == "promoted"
    assert list(Rollout.open_ones()) == []


def test_whom_a_rollback_gives_no_calls_is_not_said_to_have_them_again() -> None:
    rollout = begin("rollout_1")
    changing.put(NAME, routing(("lab-large", 1)), Said("first"))
    verbs.roll_back(rollout.id, Asked("first"))
    [told] = [alert for alert in Alert.every() if alert.type == "rollout.rolled_back"]
    assert told.sentence == f"{CANDIDATE} is rolled back: it answers no calls of {NAME}."


def test_nothing_is_rolled_back_to_a_model_that_is_retired() -> None:
    begin("rollout_1").change({"status": "promoted", "stage": 1})
    version = alias().version
    ModelVersion(id=STABLE, created_at=1, base="", trainer="", retired_at=2).create()
    with pytest.raises(Conflict, match="PUT /v1/aliases"):
        verbs.roll_back("rollout_1", Asked("first"))
    assert (alias().version, Rollout.load("rollout_1").status) == (version, "promoted")


def test_people_are_told_with_the_page_and_the_command(system: System) -> None:
    begin("rollout_1")
    verbs.roll_back("rollout_1", Asked("first", "a complaint"))
    system.settle()
    notices = [Notice.model_validate_json(row["doc"]) for row in _notices()]
    told = next(notice for notice in notices if notice.type == "rollout.rolled_back")
    assert (told.object_id, told.command) == ("rollout_1", "stillhouse rollout show rollout_1")
    assert told.url.endswith("/rollouts/rollout_1")
    assert told.lines[0] == "a complaint"
    assert len([notice for notice in notices if notice.type == "rollout.rolled_back"]) == 1


def _notices() -> list[table.Row]:
    from tests.cloud import aws_client

    items = aws_client("dynamodb").scan(TableName="table")["Items"]
    return [{"doc": item["doc"]["S"]} for item in items if item["pk"]["S"].startswith("NOTICE#")]
