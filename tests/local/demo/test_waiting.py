import pytest

from local.demo.waiting import GaveUp, Patience, until


def test_until_gives_the_first_answer(monkeypatch):
    monkeypatch.setattr("local.demo.waiting.POLL_SECONDS", 0)
    looks = iter([None, None, "here"])
    assert until("it", lambda: next(looks)) == "here"


def test_until_takes_false_for_an_answer():
    assert until("it", lambda: False) is False


def test_until_gives_up(monkeypatch):
    monkeypatch.setattr("local.demo.waiting.POLL_SECONDS", 0)
    with pytest.raises(GaveUp, match=r"waited 0 s for rain; .*\.local/logs"):
        until("rain", lambda: None, seconds=0)


def test_patience_lasts_while_something_changes(monkeypatch):
    monkeypatch.setattr("local.demo.waiting.POLL_SECONDS", 0)
    patience = Patience("rain", seconds=-1)
    for seen in range(5):
        patience.wait(seen)
    with pytest.raises(GaveUp, match="for rain"):
        patience.wait(4)
