"""A trained model is asked one question, and what its provider says against it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers import Answer, ProviderAway, ProviderRefused
from tests.flow import loop
from tests.flow.system import System
from tuning import answering
from tuning.answering import ModelSilent, ask

type Replies = Callable[..., list[dict[str, Any]]]
MESSAGE = {"choices": [{"message": {"content": "yes"}}]}


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> Replies:
    """Have the provider answer, or refuse, in this order; the list gets what it was asked."""

    def order(*given: Any) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        coming = iter(given)

        class Scripted:
            async def complete(self, request: dict[str, Any], **_: Any) -> Answer:
                asked.append(request)
                reply = next(coming)
                if isinstance(reply, Exception):
                    raise reply
                return Answer(reply, 1)

        monkeypatch.setattr(answering, "providers", Scripted)
        return asked

    return order


def refusal(status: int, message: str = "no") -> ProviderRefused:
    return ProviderRefused(status, b'{"error": {"message": "%s"}}' % message.encode(), {})


def test_a_model_of_the_lab_answers_and_one_that_nobody_has_does_not(system: System) -> None:
    assert system
    ask(loop.STUDENT)
    with pytest.raises(ModelSilent, match="'nobody-has-this' was trained and does not answer") as silent:
        ask("nobody-has-this")
    assert silent.value.code == "model_refused"


def test_it_is_asked_for_little(replies: Replies) -> None:
    asked = replies(MESSAGE)
    ask("m")
    assert [(request["model"], request["max_completion_tokens"]) for request in asked] == [("m", 16)]


def test_a_model_that_takes_no_such_bound_is_asked_without(replies: Replies) -> None:
    asked = replies(refusal(400), MESSAGE)
    ask("m")
    assert "max_completion_tokens" not in asked[1]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (ProviderAway(503, b'{"error": {"message": "loading"}}', {}), "model_away"),
        (refusal(404, "no such model"), "model_refused"),
        ({"choices": []}, "model_refused"),
    ],
)
def test_what_the_provider_says_is_told(given: Any, code: str, replies: Replies) -> None:
    replies(given)
    with pytest.raises(ModelSilent) as silent:
        ask("m")
    assert silent.value.code == code
    told = {"model_away": "loading", "model_refused": "no"}[code]
    assert told in str(silent.value)
