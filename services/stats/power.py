"""How many rows a claim needs, and how likely given rows are to show it.

In: the gain looked for, the share of rows on which the two models differ, alpha, power. Out: rows, or a
power. A gain that is not above the minimum has no number of rows (None); shares or levels outside their
range raise ValueError.
"""

import math
from collections.abc import Callable

from stats.binomial import lower_tail, mass
from stats.normal import STANDARD

_EXACT_UP_TO_ROWS = 50_000
_WINDOW = 8.0
_HALVINGS = 40


def rows_needed(
    gain: float,
    discordance: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    min_gain: float = 0.0,
) -> int | None:
    """Rows after which the paired test shows this gain with this power, two-sided at alpha.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design",
    Biometrics 43:207-211, p. 209, after Miettinen (1968), Biometrics 24:339-352: n = (z_a sqrt(psi) + z_b
    sqrt(psi - d^2))^2 / d^2. With a minimum gain m the test is against m: d becomes d - m in the
    denominator and the first variance psi - m^2, which at m = 0 is the same formula.

    A discordance below the gain cannot be and counts as the gain. The formula is the normal test's; the
    exact test needs a few more rows where few rows are discordant: `power_at` tells.
    """
    _check_shares(gain, discordance, alpha)
    if not 0.0 < power < 1.0:
        raise ValueError(f"power must lie between 0 and 1, got {power!r}")
    if min_gain < 0.0:
        raise ValueError(f"min_gain must not be negative, got {min_gain!r}")
    if gain <= min_gain:
        return None
    psi = max(discordance, gain)
    z_alpha = STANDARD.inv_cdf(1.0 - alpha / 2.0)
    z_beta = STANDARD.inv_cdf(power)
    spread = z_alpha * math.sqrt(psi - min_gain**2) + z_beta * math.sqrt(psi - gain**2)
    # Rounding must not turn a whole number of rows into one more.
    return max(1, math.ceil((spread / (gain - min_gain)) ** 2 - 1e-9))


def smallest_gain(
    n: int,
    discordance_at: Callable[[float], float],
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    most: float = 1.0,
) -> float | None:
    """The smallest gain for which `rows_needed` says at most n; None where not even `most` is shown by so few.

    `discordance_at` gives the share of rows on which models with this gain differ; it must grow slower than the
    square of the gain, as every share of two models does.
    """

    def shown(gain: float) -> bool:
        needed = rows_needed(gain, discordance_at(gain), alpha=alpha, power=power)
        return needed is not None and needed <= n

    if not shown(most):
        return None
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def power_at(n: int, gain: float, discordance: float, alpha: float = 0.05) -> float:
    """Chance that n rows give p < alpha in the exact McNemar test and in the direction of the gain.

    Exact up to 50,000 rows: over the number of discordant rows, the binomial tail beyond the test's
    critical value (unconditional power, as in Miettinen 1968); above, Connor's normal formula solved for
    the power.
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
    return _exact_power(n, size, psi, alpha)


def _check_shares(gain: float, discordance: float, alpha: float) -> None:
    if not -1.0 <= gain <= 1.0:
        raise ValueError(f"gain must lie between -1 and 1, got {gain!r}")
    if not 0.0 <= discordance <= 1.0:
        raise ValueError(f"discordance must lie between 0 and 1, got {discordance!r}")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha!r}")


def _normal_power(n: int, size: float, psi: float, alpha: float) -> float:
    reach = size * math.sqrt(n) - STANDARD.inv_cdf(1.0 - alpha / 2.0) * math.sqrt(psi)
    spread = math.sqrt(psi - size**2)
    return STANDARD.cdf(reach / spread) if spread > 0.0 else float(reach > 0.0)


def _exact_power(n: int, size: float, psi: float, alpha: float) -> float:
    win_share = (1.0 + size / psi) / 2.0
    reach = _WINDOW * math.sqrt(n * psi * (1.0 - psi)) + 1.0
    first, last = max(0, math.floor(n * psi - reach)), min(n, math.ceil(n * psi + reach))
    total = 0.0
    losses = _normal_critical_losses(first, alpha)
    for discordant in range(first, last + 1):
        losses = _critical_losses(discordant, losses, alpha)
        shown = lower_tail(losses, discordant, 1.0 - win_share)
        total += mass(discordant, n, psi) * shown
    return min(1.0, total)


def _normal_critical_losses(discordant: int, alpha: float) -> int:
    return math.floor((discordant + STANDARD.inv_cdf(alpha / 2.0) * math.sqrt(discordant)) / 2.0)


def _critical_losses(discordant: int, guess: int, alpha: float) -> int:
    """Most losses among so many discordant rows with which the exact test still says p < alpha; -1: none."""
    losses = max(-1, guess)
    while losses >= 0 and 2.0 * lower_tail(losses, discordant, 0.5) >= alpha:
        losses -= 1
    while 2.0 * lower_tail(losses + 1, discordant, 0.5) < alpha:
        losses += 1
    return losses
