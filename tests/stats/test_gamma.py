from __future__ import annotations

import pytest
from scipy.stats import chi2, gamma

from stats.gamma import gamma_quantile, gamma_tail


@pytest.mark.parametrize("shape", [0.3, 1.0, 7.5, 300.0])
@pytest.mark.parametrize("value", [0.01, 1.0, 10.0, 700.0])
def test_the_tail_is_scipys(shape: float, value: float) -> None:
    assert gamma_tail(value, shape, 2.0) == pytest.approx(gamma.sf(value, shape, scale=2.0), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 15, 149])
def test_the_quantile_is_that_of_scipys_chi_square(degrees: int) -> None:
    assert gamma_quantile(0.05, degrees / 2, 2.0) == pytest.approx(chi2.isf(0.05, degrees), rel=1e-9)


@pytest.mark.parametrize("chance", [0.95, 0.05, 1e-6])
@pytest.mark.parametrize("shape", [0.05, 0.3, 1.0, 7.5, 300.0])
def test_the_quantile_is_scipys_at_any_shape(shape: float, chance: float) -> None:
    assert gamma_quantile(chance, shape, 3.0) == pytest.approx(gamma.isf(chance, shape, scale=3.0), rel=1e-9)


def test_ends_and_wrong_arguments() -> None:
    assert gamma_tail(0.0, 2.0) == 1.0
    assert gamma_tail(-1.0, 2.0) == 1.0
    for arguments in ((1.0, 0.0), (1.0, 1.0, -1.0)):
        with pytest.raises(ValueError, match="positive"):
            gamma_tail(*arguments)
    with pytest.raises(ValueError, match="chance"):
        gamma_quantile(1.0, 2.0)
