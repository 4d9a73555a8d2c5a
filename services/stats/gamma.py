"""The gamma distribution, of which the chi-square distribution is a case.

In: a value, the shape, the scale. Out: the chance of a greater value, or the value that has this chance. A shape or a
scale that is not positive raises ValueError.
"""

import math

_EPSILON = 1e-15
_TINY = 1e-300
_MOST_TERMS = 10_000
_MOST_STEPS = 200


def gamma_tail(value: float, shape: float, scale: float = 1.0) -> float:
    """The chance that a gamma variable is greater than the value; chi-square with k degrees has shape k/2, scale 2.

    By the series below the mean and by Lentz's continued fraction above it: Press et al. (2007), "Numerical Recipes",
    third edition, section 6.2.
    """
    if shape <= 0.0 or scale <= 0.0:
        raise ValueError(f"shape and scale must be positive, got {shape!r} and {scale!r}")
    x = value / scale
    if x <= 0.0:
        return 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1.0:
        return max(0.0, 1.0 - front * _series(x, shape))
    return front * _fraction(x, shape)


def gamma_quantile(chance: float, shape: float, scale: float = 1.0) -> float:
    """The value that a gamma variable is above with this chance: by Newton's steps, by halves where one goes astray."""
    if not 0.0 < chance < 1.0:
        raise ValueError(f"chance must lie between 0 and 1, got {chance!r}")
    low, value = 0.0, shape + 1.0
    while gamma_tail(value, shape) > chance:
        low, value = value, value * 2.0
    high = value
    for _ in range(_MOST_STEPS):
        excess = gamma_tail(value, shape) - chance
        low, high = (value, high) if excess > 0.0 else (low, value)
        density = math.exp((shape - 1.0) * math.log(value) - value - math.lgamma(shape))
        step = value + excess / density if density > 0.0 else low
        nearer = step if low < step < high else (low + high) / 2.0
        if nearer in (low, high) or abs(nearer - value) <= value * _EPSILON:
            break
        value = nearer
    return value * scale


def _series(x: float, shape: float) -> float:
    term = total = 1.0 / shape
    for count in range(1, _MOST_TERMS):
        term *= x / (shape + count)
        total += term
        if term < total * _EPSILON:
            break
    return total


def _fraction(x: float, shape: float) -> float:
    b = x + 1.0 - shape
    c, d = 1.0 / _TINY, 1.0 / b
    total = d
    for count in range(1, _MOST_TERMS):
        a = -count * (count - shape)
        b += 2.0
        # Written out: this is most of the time of a report's comparisons.
        d = a * d + b
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = b + a / c
        c = c if abs(c) > _TINY else _TINY
        change = d * c
        total *= change
        if abs(change - 1.0) < _EPSILON:
            break
    return total
