from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.quantile import nearest_rank
from tests.examples import examples


@settings(max_examples=examples(25))
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60), st.sampled_from([0.07, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_it_is_numpys_inverted_distribution(values: list[int], share: float) -> None:
    assert nearest_rank(sorted(values), share) == np.quantile(values, share, method="inverted_cdf")


def test_the_ninety_fifth_of_twenty_is_the_nineteenth() -> None:
    assert nearest_rank(range(1, 21), 0.95) == 19
    assert nearest_rank(range(1, 101), 0.07) == 7
    assert nearest_rank([5], 0.5) == 5


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 0.0), ([1], 1.01)])
def test_nothing_has_no_quantile(values: list[int], share: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        nearest_rank(values, share)
