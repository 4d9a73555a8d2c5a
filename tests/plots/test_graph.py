"""Graphs: boxes from left to right, lines between them, links, and hostile names."""

from __future__ import annotations

import re

from plots import Box, graph


def places(svg: str) -> dict[str, tuple[float, float]]:
    """By title of a box, where it stands."""
    found = re.findall(r'<title>([^<]*)</title><rect x="([\d.]+)" y="([\d.]+)"', svg)
    return {title: (float(x), float(y)) for title, x, y in found}


def box(name: str, **fields: object) -> Box:
    return Box(name, "job", name, **fields)  # type: ignore[arg-type]


def test_a_box_stands_right_of_all_that_it_came_from() -> None:
    figure = graph("g", "d", [box("c"), box("b"), box("a")], [("a", "b"), ("b", "c"), ("a", "c")])
    assert figure is not None
    at = places(figure.svg)
    assert at["job a"][0] < at["job b"][0] < at["job c"][0]
    assert figure.svg.count("<path") == 3
    assert figure.rows == [["job", "a", "job", "b"], ["job", "b", "job", "c"], ["job", "a", "job", "c"]]


def test_boxes_of_a_column_do_not_lie_upon_each_other_and_stand_beside_their_origins() -> None:
    boxes = [box("a"), box("b"), box("of b"), box("of a")]
    figure = graph("g", "d", boxes, [("b", "of b"), ("a", "of a")])
    assert figure is not None
    at = places(figure.svg)
    assert len(set(at.values())) == 4
    assert at["job of a"][1] < at["job of b"][1]


def test_a_box_with_a_path_is_a_link_and_the_marked_one_is_told_apart() -> None:
    figure = graph("g", "d", [box("a", path="/models/a", marked=True), box("b")], [])
    assert figure is not None
    assert figure.svg.count("<a ") == 1
    assert 'href="/models/a"' in figure.svg
    assert figure.svg.count('class="marked box"') == 1


def test_hostile_names_are_text_and_cut() -> None:
    figure = graph("<b>", "\u202e", [box('"><script>alert(1)</script>' + "x" * 500)], [])
    assert figure is not None
    assert "<script" not in figure.svg
    assert "\u202e" not in figure.svg
    assert len(figure.svg) < 2_000


def test_lines_to_nobody_and_circles_break_nothing() -> None:
    assert graph("g", "d", [], []) is None
    figure = graph("g", "d", [box("a"), box("b"), box("c")], [("a", "b"), ("b", "a"), ("a", "a"), ("c", "gone")])
    assert figure is not None
    assert figure.svg.count("<path") == 2
