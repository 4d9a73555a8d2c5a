"""A change that breaks off anywhere is made whole by a retry, once; one that is overtaken loses nobody's version."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from aliases import changing, history
from aliases.alias import Alias
from aliases.changing import Said
from foundation.errors import ApiError, RetryLater
from tests.aliases.build import routing
from tests.flow.faults import Hook, injected
from tests.flow.system import System

FIRST, SECOND, THIRD = routing(("a", 1)), routing(("b", 1)), routing(("c", 1))
ONE = Said("ada", attempt="change_1")


def put(name: str) -> Alias:
    return changing.put(name, THIRD, ONE)


def back(name: str) -> Alias:
    return changing.roll_back(name, None, ONE)


@pytest.mark.parametrize(("change", "model"), [(put, "c"), (back, "a")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_any_call_may_fail_and_the_retry_makes_the_change_once(
    change: Callable[[str], Alias], model: str, when: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system
    for n in range(1, 20):
        name = f"quick-{n}"
        for before in (FIRST, SECOND):
            changing.put(name, before, Said("bob"))
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            hook.around("api", partial(change, name))
        if not hook.struck:
            break
        for _ in range(2):
            change(name)
        alias = changing.load(name)
        assert (alias.version, alias.targets[0].model, alias.by) == (3, model, "ada"), n
        assert [version.targets[0].model for version in history.versions(alias)] == [model, "b", "a"], n
    else:
        raise AssertionError("a change never comes to its end")


@pytest.fixture
def overtaken(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else changes the alias between the read and the write of the next change."""
    assert system
    changing.put("quick", FIRST, Said("ada"))
    keep, others = history.keep, [SECOND]

    def keep_late(alias: Alias) -> None:
        if others:
            changing.put("quick", others.pop(), Said("bob"))
        keep(alias)

    monkeypatch.setattr(history, "keep", keep_late)


@pytest.mark.usefixtures("overtaken")
def test_a_change_that_was_overtaken_is_the_version_after() -> None:
    assert changing.put("quick", THIRD, Said("ada")).version == 3
    versions = history.versions(changing.load("quick"))
    assert [(version.by, version.targets[0].model) for version in versions] == [
        ("ada", "c"),
        ("bob", "b"),
        ("ada", "a"),
    ]


@pytest.mark.usefixtures("overtaken")
def test_a_change_of_a_version_that_was_overtaken_is_refused() -> None:
    with pytest.raises(ApiError) as refusal:
        changing.put("quick", THIRD, Said("ada", expected=1))
    assert (refusal.value.code, refusal.value.status) == ("alias_changed", 412)
    assert changing.load("quick").version == 2


@pytest.mark.usefixtures("overtaken")
def test_a_rollback_that_was_overtaken_goes_back_from_what_is_there() -> None:
    assert changing.roll_back("quick", 1, Said("ada")).targets == FIRST.targets
    assert changing.load("quick").version == 3


@pytest.mark.usefixtures("system")
def test_who_goes_back_to_a_version_that_went_back_is_told_where_it_came_from() -> None:
    for number, before in enumerate((FIRST, SECOND), start=1):
        assert changing.put("quick", before, Said("ada")).version == number
    assert changing.roll_back("quick", None, Said("ada")).rolled_back_to == 1
    changing.put("quick", THIRD, Said("ada"))
    again = changing.roll_back("quick", 3, Said("ada"))
    assert (again.version, again.targets, again.rolled_back_to) == (5, FIRST.targets, 1)


@pytest.mark.usefixtures("overtaken")
def test_a_deletion_that_was_overtaken_deletes_what_is_there() -> None:
    changing.delete("quick", Said("ada"))
    assert Alias.find("quick") is None


def test_a_change_that_is_always_overtaken_is_left_to_a_retry(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system
    changing.put("quick", FIRST, Said("ada"))
    monkeypatch.setattr(Alias, "change", lambda *_, **__: False)
    for change in (partial(put, "quick"), partial(changing.delete, "quick", ONE)):
        with pytest.raises(RetryLater):
            change()
