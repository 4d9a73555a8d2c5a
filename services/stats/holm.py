"""Correction for looking at many slices at once.

In: one p-value for each slice. Out: adjusted p-values in the same order; those below alpha hold together,
with at most alpha chance of any false one among them. A p outside [0, 1] raises ValueError.
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust for as many tests as there are p-values, by Holm's step-down method.

    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6:65-70. The i-th smallest of m is multiplied by m - i + 1, is at least its predecessor and
    at most 1.
    """
    for p_value in p_values:
        if not 0.0 <= p_value <= 1.0:
            raise ValueError(f"a p-value must lie between 0 and 1, got {p_value!r}")
    adjusted = [0.0] * len(p_values)
    floor = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return adjusted
