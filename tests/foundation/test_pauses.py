from itertools import islice

import pytest

from foundation import pauses


def test_pauses_double_up_to_the_longest(monkeypatch):
    monkeypatch.setattr(pauses.random, "uniform", lambda _, most: most)
    assert list(islice(pauses.pauses(0.2, 5.0), 7)) == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_a_pause_is_shortened_by_half_at_most():
    for _ in range(200):
        for full, pause in zip([1, 2, 3], pauses.pauses(1, 3), strict=False):
            assert full / 2 <= pause <= full


def test_callers_do_not_come_back_together():
    assert len({next(pauses.pauses(1, 3)) for _ in range(20)}) > 1
