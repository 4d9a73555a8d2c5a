"""A graph from left to right: boxes in columns, and lines from each box to those that came of it.

In: boxes with an id, texts, and a path that their maker knows; lines between ids. Out: a `Figure` whose SVG stands in a
page itself, so that boxes are links and the page's style gives the colours. A box stands one column right of the last
of those that it came from. Lines to boxes that are not there are left out; boxes in a circle stand in the last column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from plots.figure import Figure
from plots.svg import element, label, number, one_line

_WIDE, _TALL = 170.0, 44.0
_ACROSS, _DOWN = 44.0, 14.0
_TEXT = 122.0
"""The width that a text is cut to: ids are in capitals, which are wider than letters are on average."""
_EDGE = 6.0


class Box(NamedTuple):
    """A box: what it is (`kind`), what it is called (`name`), and where it leads, if anywhere."""

    id: str
    kind: str
    name: str
    path: str | None = None
    marked: bool = False


type Place = tuple[float, float]


def graph(title: str, description: str, boxes: Sequence[Box], lines: Iterable[tuple[str, str]]) -> Figure | None:
    """The graph of these boxes."""
    if not boxes:
        return None
    known = {box.id: box for box in boxes}
    drawn = [line for line in dict.fromkeys(lines) if line[0] in known and line[1] in known and line[0] != line[1]]
    places = _places(list(known), drawn)
    width = max(x for x, _ in places.values()) + _WIDE + _EDGE
    height = max(y for _, y in places.values()) + _TALL + _EDGE
    svg = element(
        "svg",
        element("title", escape(one_line(title))),
        element("desc", escape(one_line(description))),
        *(_line(places[source], places[target]) for source, target in drawn),
        *(_box(box, places[box.id]) for box in known.values()),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="group",
        aria_label=one_line(title),
        **{"class": "graph"},
    )
    rows = [
        [known[source].kind, known[source].name, known[target].kind, known[target].name] for source, target in drawn
    ]
    return Figure(title, description, svg, ["From", "", "Went into", ""], rows)


def _places(ids: Sequence[str], lines: Sequence[tuple[str, str]]) -> dict[str, Place]:
    columns = _columns(ids, lines)
    before: Mapping[str, list[str]] = defaultdict(list)
    for source, target in lines:
        before[target].append(source)
    places: dict[str, Place] = {}
    for column in range(max(columns.values()) + 1):
        held = [name for name in ids if columns[name] == column]
        # Beside what it came from: fewer lines cross.
        held.sort(key=lambda name: _middle([places[source][1] for source in before[name] if source in places]))
        for row, name in enumerate(held):
            places[name] = (_EDGE + column * (_WIDE + _ACROSS), _EDGE + row * (_TALL + _DOWN))
    return places


def _middle(heights: Sequence[float]) -> float:
    return sum(heights) / len(heights) if heights else 0.0


def _columns(ids: Sequence[str], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    """By id, the length of the longest way to it."""
    after: dict[str, list[str]] = defaultdict(list)
    waits = dict.fromkeys(ids, 0)
    for source, target in lines:
        after[source].append(target)
        waits[target] += 1
    columns = dict.fromkeys(ids, 0)
    free = [name for name in ids if not waits[name]]
    while free:
        here = free.pop(0)
        for target in after[here]:
            columns[target] = max(columns[target], columns[here] + 1)
            waits[target] -= 1
            if not waits[target]:
                free.append(target)
    last = max(columns.values())
    return {name: last if waits[name] else column for name, column in columns.items()}


def _line(source: Place, target: Place) -> str:
    x1, y1 = source[0] + _WIDE, source[1] + _TALL / 2
    x2, y2 = target[0], target[1] + _TALL / 2
    bend = max(24.0, (x2 - x1) / 2)
    way = " ".join(f"{number(value):.1f}" for value in (x1 + bend, y1, x2 - bend, y2, x2, y2))
    return element("path", d=f"M{x1:.1f} {y1:.1f} C{way}", fill="none", **{"class": "line"})


def _box(box: Box, place: Place) -> str:
    x, y = place
    inner = [
        element("title", escape(one_line(f"{box.kind} {box.name}")[:200])),
        element("rect", x=x, y=y, width=_WIDE, height=_TALL, rx=6, **{"class": "marked box" if box.marked else "box"}),
        element("g", label(box.kind, x + 10, y + 14, width=_TEXT), font_size=11, **{"class": "kind"}),
        element("g", label(box.name, x + 10, y + 31, width=_TEXT), font_size=12, **{"class": "name"}),
    ]
    return element("a", *inner, href=box.path) if box.path else element("g", *inner)
