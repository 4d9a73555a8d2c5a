"""How many rows a claim needs, and how likely given rows are to show it.

In: the gain looked for, the share of rows on which the two models differ, alpha, power. Out: rows, or a power. A gain
that is not above the minimum has no number of rows (None); shares or levels outside their range raise ValueError.

The claim is shown where a verdict shows it: the exact McNemar p is below alpha, and Tango's interval lies above the
minimum gain. Power is that of this very rule, so the rows that are promised carry what they are promised to.
"""

import math
from collections.abc import Callable, Iterator

from stats.binomial import RunningTail, mass
from stats.normal import STANDARD, two_sided_z
from stats.paired import PairedCounts, gain_is_above

_EXACT_UP_TO_ROWS = 50_000
_WINDOW = 8.0
_HALVINGS = 40
# So many rows more than the normal test's, divided by the gain, the exact test asks for at most while models agree on a
# tenth of the rows or more; a test holds it.
_EXACT_SHARE = 3.0
# Power is no smooth function of the rows: so many rows more must have it too.
_ROWS_AHEAD = 8


def rows_needed(
    gain: float,
    discordance: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    min_gain: float = 0.0,
) -> int | None:
    """Rows after which the paired test shows this gain with this power, two-sided at alpha.

    Found by the exact power, beginning at the number of the normal test; above 50,000 rows that number is returned with
    what the exact test asks for at most. A discordance below the gain cannot be and counts as the gain.
    """
    _check_shares(gain, discordance, alpha)
    if not 0.0 < power < 1.0:
        raise ValueError(f"power must lie between 0 and 1, got {power!r}")
    if min_gain < 0.0:
        raise ValueError(f"min_gain must not be negative, got {min_gain!r}")
    if gain <= min_gain:
        return None
    psi = max(discordance, gain)
    most = _most_rows(gain, psi, alpha, power, min_gain)
    if most > _EXACT_UP_TO_ROWS:
        return most

    def shown(rows: int) -> bool:
        return _exact_power(rows, gain, psi, alpha, min_gain) >= power

    return _first_of_a_row(shown, most)


def smallest_gain(
    n: int,
    discordance_at: Callable[[float], float],
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    most: float = 1.0,
) -> float | None:
    """The smallest gain that n rows are sure to show with this power; None where not even `most` is shown by so few.

    It goes by the most rows that the exact test may ask for, so it is a little larger than needed, and quick.
    `discordance_at` gives the share of rows on which models with this gain differ; it must grow slower than the
    square of the gain, as every share of two models does.
    """

    def shown(gain: float) -> bool:
        return _most_rows(gain, max(gain, discordance_at(gain)), alpha, power, 0.0) <= n

    if not shown(most):
        return None
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def power_at(n: int, gain: float, discordance: float, alpha: float = 0.05) -> float:
    """Chance that n rows show a gain in its direction.

    Exact up to 50,000 rows: over the number of discordant rows, the binomial tail beyond the test's critical value
    (unconditional power, as in Miettinen 1968, Biometrics 24:339-352); above, Connor's normal formula solved for the
    power.
    """
    _check_shares(gain, discordance, alpha)
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}")
    size = abs(gain)
    psi = max(discordance, size)
    if n == 0 or psi == 0.0:
        return 0.0
    if n > _EXACT_UP_TO_ROWS:
        return _normal_power(n, size, psi, alpha)
    return _exact_power(n, size, psi, alpha, 0.0)


def _check_shares(gain: float, discordance: float, alpha: float) -> None:
    if not -1.0 <= gain <= 1.0:
        raise ValueError(f"gain must lie between -1 and 1, got {gain!r}")
    if not 0.0 <= discordance <= 1.0:
        raise ValueError(f"discordance must lie between 0 and 1, got {discordance!r}")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha!r}")


def _normal_rows(gain: float, psi: float, alpha: float, power: float, min_gain: float) -> float:
    """The rows that the normal test takes, which is a little bolder than the exact one.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics
    43:207-211, p. 209: n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2. With a minimum gain m the test is against m:
    d becomes d - m in the denominator and the first variance psi - m^2, which at m = 0 is the same formula.
    """
    z_alpha, z_beta = STANDARD.inv_cdf(1.0 - alpha / 2.0), STANDARD.inv_cdf(power)
    spread = z_alpha * math.sqrt(psi - min_gain**2) + z_beta * math.sqrt(psi - gain**2)
    return (spread / (gain - min_gain)) ** 2


def _most_rows(gain: float, psi: float, alpha: float, power: float, min_gain: float) -> int:
    return math.ceil(_normal_rows(gain, psi, alpha, power, min_gain) + _EXACT_SHARE / (gain - min_gain))


def _first_of_a_row(shown: Callable[[int], bool], guess: int) -> int:
    """The fewest rows that show it, and the numbers after them too; `guess` is about as many, and at least 1."""
    while not shown(guess):
        guess += max(1, guess // 16)
    low, high = 0, guess
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    while short := [rows for rows in range(high + 1, high + _ROWS_AHEAD) if not shown(rows)]:
        high = short[-1] + 1
    return high


def _normal_power(n: int, size: float, psi: float, alpha: float) -> float:
    reach = size * math.sqrt(n) - STANDARD.inv_cdf(1.0 - alpha / 2.0) * math.sqrt(psi)
    spread = math.sqrt(psi - size**2)
    return STANDARD.cdf(reach / spread) if spread > 0.0 else float(reach > 0.0)


def _exact_power(n: int, size: float, psi: float, alpha: float, min_gain: float) -> float:
    reach = _WINDOW * math.sqrt(n * psi * (1.0 - psi)) + 1.0
    first, last = max(0, math.floor(n * psi - reach)), min(n, math.ceil(n * psi + reach))
    lost_share = (1.0 - size / psi) / 2.0
    shown = _chances_shown(n, first, lost_share, alpha, min_gain)
    return min(1.0, sum(mass(rows, n, psi) * next(shown) for rows in range(first, last + 1)))


def _chances_shown(n: int, first: int, lost_share: float, alpha: float, min_gain: float) -> Iterator[float]:
    """For each number of discordant rows, from `first` on, the chance that so few of them are lost that the gain shows.

    One discordant row more never allows fewer losses, so both tails are carried on from row to row.
    """
    z = two_sided_z(1.0 - alpha)
    losses = _few_losses(first, n, min_gain, alpha)
    level, lost = RunningTail(losses, first, 0.5), RunningTail(losses, first, lost_share)
    discordant = first
    while True:
        while 2.0 * level.tail < alpha and _above(n, discordant, level.successes, min_gain, z):
            level.add_success()
            lost.add_success()
        yield lost.tail - lost.mass
        level.add_trial()
        lost.add_trial()
        discordant += 1


def _above(n: int, discordant: int, losses: int, min_gain: float, z: float) -> bool:
    counts = PairedCounts(n=n, won=discordant - losses, lost=losses)
    return gain_is_above(counts, min_gain, z)


def _few_losses(discordant: int, n: int, min_gain: float, alpha: float) -> int:
    """A number of losses among so many discordant rows that surely shows the gain, or 0."""
    z = two_sided_z(1.0 - alpha) + 1.0
    return max(0, math.floor((discordant - n * min_gain - z * math.sqrt(discordant)) / 2.0) - 1)
