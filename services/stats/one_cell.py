"""Whether any one cell has another share of the rows on one side than on the other, exactly, however rare that is.

In: counts by cell of both sides. Out: a p. Impossible counts raise ValueError.
"""

from collections.abc import Sequence

from stats.independent import fisher_exact

_TWO_CELLS = 2


def one_cell(first: Sequence[int], second: Sequence[int]) -> float:
    """The exact p of the cell in which both sides differ most, by Bonferroni's correction for the number of cells.

    A p that stands for a distribution's is near where it is not small; where a level of one in a million is asked for
    and one side has few rows, it may be a hundred times too small. This one never is, at the price that it overlooks
    what is spread over many cells. Cells that both sides lack do not count; the two cells of a field that has no more
    say the same.
    """
    m, n = sum(first), sum(second)
    present = [(ours, theirs) for ours, theirs in zip(first, second, strict=True) if ours + theirs]
    tests = 1 if len(present) <= _TWO_CELLS else len(present)
    return min(1.0, tests * min((fisher_exact(ours, m, theirs, n) for ours, theirs in present), default=1.0))
