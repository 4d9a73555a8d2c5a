"""Elements of SVG as text.

In: names of elements and attributes, which are our own, and values, which may be anybody's. Out: text in which every
value is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

COLOURS = ("#0072b2", "#e69f00", "#009e73")
"""Okabe & Ito (2008), "Color Universal Design": people who do not see all colours tell these apart."""
INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
WIDTH = 640
LINE = 22
_LETTER = 6.6
_FONT = "ui-sans-serif, system-ui, sans-serif"


def element(name: str, *inner: str, **attributes: str | float) -> str:
    """An element. An underscore in an attribute's name stands for its hyphen."""
    given = "".join(f' {key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(inner)}</{name}>" if inner else f"<{name}{given}/>"


def label(text: str, x: float, y: float, *, anchor: str = "start", width: float = WIDTH) -> str:
    """A text, cut to what fits into a width."""
    most = max(1, int(width / _LETTER))
    line = one_line(text)
    shown = line if len(line) <= most else f"{line[: most - 1]}…"
    return element("text", escape(shown), x=x, y=y, text_anchor=anchor, dominant_baseline="middle")


def picture(title: str, description: str, height: float, body: Iterable[str]) -> str:
    """A whole SVG with its title and description, which screen readers say."""
    return element(
        "svg",
        element("title", escape(one_line(title))),
        element("desc", escape(one_line(description))),
        element("rect", width=WIDTH, height=height, fill=PAPER),
        element("g", *body, fill=INK, font_size=12, font_family=_FONT),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {_value(height)}",
        width=WIDTH,
        height=height,
        role="img",
    )


def legend(names: Iterable[str], y: float) -> list[str]:
    """The colours of the series, beside each other."""
    shown: list[str] = []
    x = 10.0
    for name, colour in zip(names, COLOURS, strict=False):
        line = one_line(name)[:32]
        shown += [element("rect", x=x, y=y - 5, width=10, height=10, fill=colour), label(line, x + 15, y)]
        x += 30 + _LETTER * len(line)
    return shown


def number(value: float) -> float:
    """A number that can be drawn."""
    return value if math.isfinite(value) else 0.0


def one_line(text: str) -> str:
    """A text on one line, without control characters, which XML forbids."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{number(value):.2f}".rstrip("0").rstrip(".")
