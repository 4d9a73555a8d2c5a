"""Plots as SVG, drawn here: bars, histograms, curves, and values beside what chance gives.

In: numbers and texts of anybody. Out: a `Figure`: the SVG, with a title and a description for who cannot see it, and
the same numbers as a table. Texts are escaped and cut, numbers that are none count as 0, and no script or style comes
in, no link but the paths of a graph's boxes. A figure of nothing is None.
"""

from plots.bars import Bar, bars
from plots.figure import Figure
from plots.graph import Box, graph
from plots.histogram import Column, histogram
from plots.intervals import Mark, intervals
from plots.lines import Curve, lines

__all__ = ["Bar", "Box", "Column", "Curve", "Figure", "Mark", "bars", "graph", "histogram", "intervals", "lines"]
