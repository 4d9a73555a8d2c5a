"""Plots are sound SVG whatever comes in, and their tables tell the same."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plots import Bar, Column, Curve, Figure, Mark, bars, histogram, intervals, lines
from tests.examples import examples

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert('x')</script>\" onload=\"alert(1)\n\x00\ud800"
ALLOWED = {"svg", "title", "desc", "rect", "g", "text", "line", "circle", "polyline"}
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def parsed(figure: Figure | None) -> ET.Element:
    assert figure
    root = ET.fromstring(figure.svg)  # noqa: S314 - our own
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ALLOWED
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    return root


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_values_and_the_table_has_them() -> None:
    figure = bars(
        "answers", "Shares.", ["ours", "theirs"], [Bar("yes", [0.5, 0.25]), Bar("no", [0.0, 1.0])], percent=True
    )
    root = parsed(figure)
    widths = [float(bar.get("width", 0)) for bar in root.iter(f"{SVG}rect") if bar.get("x") == "210"]
    assert widths == pytest.approx([180, 90, 0, 360])
    assert figure
    assert (figure.head, figure.rows) == (["", "ours", "theirs"], [["yes", "50.0%", "25.0%"], ["no", "0.0%", "100.0%"]])
    assert root.find(f"{SVG}title").text == "answers"  # type: ignore[union-attr]
    assert root.find(f"{SVG}desc").text == "Shares."  # type: ignore[union-attr]
    assert root.get("role") == "img"


def test_columns_are_shares_of_their_own_series() -> None:
    figure = histogram("lengths", "Rows.", ["ours", "theirs"], [Column("0", [10, 1]), Column("8", [30, 3])])
    heights = [float(bar.get("height", 0)) for bar in parsed(figure).iter(f"{SVG}rect")][3:]
    assert heights == pytest.approx([50, 50, 150, 150])
    assert figure
    assert figure.rows == [["0", "10", "1"], ["8", "30", "3"]]


def test_curves_share_their_axes_and_a_step_that_one_lacks_is_empty_in_the_table() -> None:
    figure = lines(
        "loss", "Falls.", "step", [Curve("train", [(1, 2.0), (2, 1.0), (3, 0.25)]), Curve("valid", [(3, 0.5)])]
    )
    root = parsed(figure)
    train, valid = (line.get("points", "").split() for line in root.iter(f"{SVG}polyline"))
    heights = [float(corner.partition(",")[2]) for corner in [*train, *valid]]
    # From 0 at the bottom, since the least value comes near it: 2.0 stands at the top, 1.0 in the middle.
    assert heights == pytest.approx([34, 119, 182.8, 161.5], abs=0.1)
    assert (train[0].partition(",")[0], train[-1].partition(",")[0]) == ("60.0", "624.0")
    assert figure
    assert figure.head == ["step", "train", "valid"]
    assert figure.rows == [["1", "2", ""], ["2", "1", ""], ["3", "0.25", "0.5"]]
    assert lines("loss", "None.", "step", [Curve("train", [])]) is None


def test_a_mark_outside_its_band_has_another_colour() -> None:
    figure = intervals(
        "skew", "Fields.", ["field", "index", "from", "to"], [Mark("a", 0.1, 0, 0.2), Mark("b", 0.9, 0, 0.2)]
    )
    inside, outside = (circle.get("fill") for circle in parsed(figure).iter(f"{SVG}circle"))
    assert inside != outside
    assert figure
    assert figure.rows == [["a", "0.1", "0", "0.2"], ["b", "0.9", "0", "0.2"]]


def test_texts_of_anybody_are_text() -> None:
    for figure in (
        bars(EVIL, EVIL, [EVIL], [Bar(EVIL, [1])]),
        histogram(EVIL, EVIL, [EVIL], [Column(EVIL, [1])]),
        intervals(EVIL, EVIL, [EVIL] * 4, [Mark(EVIL, 1, 0, 2)]),
    ):
        root = parsed(figure)
        assert any(text.startswith("<script>") for text in texts(root)) or figure
        assert all(len(text) < 120 for text in texts(root))


@given(st.lists(st.tuples(st.text(max_size=20), NUMBERS, NUMBERS), min_size=1, max_size=6))
@settings(max_examples=examples(40))
def test_any_numbers_give_a_sound_picture(lines: list[tuple[str, float, float]]) -> None:
    parsed(bars("t", "d", ["a", "b"], [Bar(name, [first, second]) for name, first, second in lines]))
    parsed(histogram("t", "d", ["a", "b"], [Column(name, [first, second]) for name, first, second in lines]))
    parsed(
        intervals("t", "d", ["l", "v", "a", "b"], [Mark(name, first, second, first) for name, first, second in lines])
    )


def test_a_figure_of_nothing_is_none() -> None:
    assert bars("t", "d", ["a"], []) is None
    assert histogram("t", "d", ["a"], []) is None
    assert intervals("t", "d", ["l"], []) is None
