"""Statistics of runs and pairs of runs, with the standard library alone.

In: counts, scores or 0/1 outcomes of graded rows. Out: intervals, p-values and numbers of rows. Wrong
arguments raise ValueError; None stands for what the rows cannot tell.
"""

from stats.bootstrap import MIN_CLUSTERS, RowPasses, cluster_interval, gap_closed, paired_bca, ratio_interval
from stats.divergence import entropy, jensen_shannon, population_stability
from stats.holm import holm
from stats.homogeneity import Homogeneity, homogeneity
from stats.independent import fisher_exact, newcombe_interval
from stats.mean import mean_interval
from stats.one_cell import one_cell
from stats.paired import PairedCounts, clustered_p, mcnemar_exact, tango_interval
from stats.power import power_at, rows_needed, smallest_gain
from stats.proportion import Interval, wilson
from stats.risk_control import ComparedRow, Kept, fewest_rows, safe_threshold

__all__ = [
    "MIN_CLUSTERS",
    "ComparedRow",
    "Homogeneity",
    "Interval",
    "Kept",
    "PairedCounts",
    "RowPasses",
    "cluster_interval",
    "clustered_p",
    "entropy",
    "fewest_rows",
    "fisher_exact",
    "gap_closed",
    "holm",
    "homogeneity",
    "jensen_shannon",
    "mcnemar_exact",
    "mean_interval",
    "newcombe_interval",
    "one_cell",
    "paired_bca",
    "population_stability",
    "power_at",
    "ratio_interval",
    "rows_needed",
    "safe_threshold",
    "smallest_gain",
    "tango_interval",
    "wilson",
]
