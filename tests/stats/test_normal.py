import pytest
from scipy import stats

from stats.normal import two_sided_t, two_sided_z


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_normal_quantile_equals_scipy(confidence):
    assert two_sided_z(confidence) == pytest.approx(stats.norm.ppf((1 + confidence) / 2), rel=1e-12)


@pytest.mark.parametrize("degrees", [5, 6, 10, 30, 1000])
@pytest.mark.parametrize(("confidence", "off"), [(0.8, 1e-4), (0.95, 5e-4), (0.99, 2e-2)])
def test_the_student_quantile_is_close_to_scipy(confidence, off, degrees):
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert two_sided_t(confidence, degrees) == pytest.approx(expected, abs=off)


def test_too_few_degrees_are_refused():
    with pytest.raises(ValueError, match="at least 5 degrees"):
        two_sided_t(0.95, 4)
