"""How much of a chance of a false alarm each of many looks at the same question may use.

In: the number of the look, from 1, and the chance for all looks together, however many there will be. Out: the chance
for this look. A number below 1, or a chance outside (0, 1), raises ValueError.
"""


def spent_at(look: int, alpha: float) -> float:
    """The part of `alpha` that a look may use: alpha / (look * (look + 1)), the sum of which over all looks is alpha.

    By Boole's inequality the chance that any look is false is at most alpha, however the looks depend on each other.
    Spending is Lan & DeMets (1983), "Discrete sequential boundaries for clinical trials", Biometrika 70:659-663.
    """
    if look < 1 or not 0.0 < alpha < 1.0:
        raise ValueError(f"a look from 1 and an alpha between 0 and 1 are expected, got {look!r} and {alpha!r}")
    return alpha / (look * (look + 1))
