"""Exact binomial tails that stay accurate for tens of thousands of trials.

In: successes, trials, chance of success. Out: a probability. A tail too small for a float is 0.0.
"""

import math

_NEGLIGIBLE = 1e-18


def mass(successes: int, trials: int, chance: float) -> float:
    """P(X = successes), in logarithms so that neither the coefficient overflows nor a power underflows."""
    if not 0 <= successes <= trials:
        return 0.0
    if chance in (0.0, 1.0):
        return float(successes == trials * int(chance))
    log_ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(
        log_ways + successes * math.log(chance) + (trials - successes) * math.log1p(-chance),
    )


def lower_tail(successes: int, trials: int, chance: float) -> float:
    """P(X <= successes)."""
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    if successes > trials * chance:
        return 1.0 - lower_tail(trials - successes - 1, trials, 1.0 - chance)
    return _sum_downwards(successes, trials, chance)


def _sum_downwards(successes: int, trials: int, chance: float) -> float:
    """Below the mean each term is smaller than the one before: stop when it no longer counts."""
    term = mass(successes, trials, chance)
    total = term
    odds_against = (1.0 - chance) / chance if chance > 0.0 else 0.0
    for count in range(successes, 0, -1):
        term *= odds_against * count / (trials - count + 1)
        if term <= total * _NEGLIGIBLE:
            break
        total += term
    return min(total, 1.0)


class RunningTail:
    """P(X <= successes) as `tail` and P(X = successes) as `mass`, carried on while trials or successes are added.

    Each step takes a constant time: of n + 1 trials, the last one either fails or must not add a success too many.
    """

    def __init__(self, successes: int, trials: int, chance: float) -> None:
        self.successes = successes
        self._trials = trials
        self._chance = chance
        self.tail = lower_tail(successes, trials, chance)
        self.mass = mass(successes, trials, chance)

    def add_trial(self) -> None:
        """One trial more, with as many successes."""
        self.tail -= self._chance * self.mass
        self._trials += 1
        failures = self._trials - self.successes
        if failures > 0:
            self.mass *= self._trials / failures * (1.0 - self._chance)
        else:
            self.tail, self.mass = 1.0, mass(self.successes, self._trials, self._chance)

    def add_success(self) -> None:
        """One success more, among as many trials."""
        odds = self._chance / (1.0 - self._chance)
        self.mass *= max(0, self._trials - self.successes) / (self.successes + 1) * odds
        self.successes += 1
        self.tail += self.mass
