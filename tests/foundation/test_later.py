"""A message that is put back is sent once, however often its old copy is delivered."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest

from foundation import bus, later
from foundation.message import Postponable

pytestmark = pytest.mark.usefixtures("cloud")


class Look(Postponable):
    """Work that waits for something."""

    QUEUE: ClassVar[str] = "RECORD_QUEUE_URL"
    ABOUT: ClassVar[str] = "subject"

    type: Literal["Look"] = "Look"
    subject: str
    away_since: int = 0

    @property
    def place(self) -> tuple[str, str]:
        return self.subject, "LOOK"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Look, int]]:
    """The messages that were sent, each with its delay in seconds."""
    messages: list[tuple[Look, int]] = []

    def send(message: Any, *, delay_s: int = 0) -> None:
        messages.append((message, delay_s))

    monkeypatch.setattr(bus, "send", send)
    return messages


def test_it_is_sent_anew_with_its_changes_and_its_count(sent: list[tuple[Look, int]]) -> None:
    message = Look(subject="run_1")
    later.put_back(message, 30, away_since=7)
    [(again, delay_s)] = sent
    assert (again.subject, again.away_since, again.put_back, delay_s) == ("run_1", 7, 1, 30)
    assert again.correlation_id == "run_1"
    assert again.event_id != message.event_id


def test_a_second_copy_of_a_message_is_not_put_back(sent: list[tuple[Look, int]]) -> None:
    message = Look(subject="run_1")
    for _ in range(3):
        later.put_back(message, 30)
    assert len(sent) == 1


def test_each_message_is_put_back_in_its_turn(sent: list[tuple[Look, int]]) -> None:
    message = Look(subject="run_1")
    for _ in range(3):
        later.put_back(message, 30)
        message = sent[-1][0]
    assert [again.put_back for again, _ in sent] == [1, 2, 3]


def test_messages_of_other_places_are_counted_apart(sent: list[tuple[Look, int]]) -> None:
    for subject in ("run_1", "run_2"):
        later.put_back(Look(subject=subject), 30)
    assert [again.subject for again, _ in sent] == ["run_1", "run_2"]


def test_the_wait_is_at_most_the_longest_delay_of_sqs(sent: list[tuple[Look, int]]) -> None:
    later.put_back(Look(subject="run_1"), 100_000)
    assert sent[0][1] == bus.LONGEST_DELAY_S


def test_a_message_that_could_not_be_sent_is_put_back_by_its_next_delivery(
    sent: list[tuple[Look, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: Any, **_options: Any) -> None:
        raise ConnectionError

    message = Look(subject="run_1")
    with monkeypatch.context() as patch:
        patch.setattr(bus, "send", lost)
        with pytest.raises(ConnectionError):
            later.put_back(message, 30)
    later.put_back(message, 30)
    assert len(sent) == 1
