"""The report as Markdown: its sections, its plots with their tables, and hostile text as text."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree as ET

from distillations.report.document import DatasetReport
from distillations.report.figures import figures
from distillations.report.markdown import markdown, text
from distillations.report.steps import RowExample
from tests.assembly.curating import completion
from tests.assembly.reporting import reported

EVIL = "![x](javascript:alert(1)) <img src=x onerror=alert(1)> | # `a` https://evil.test\n## Head"


def report(answer: str = "yes") -> DatasetReport:
    rows = [
        completion(number, f"mail {number} " * (number % 9 + 1), [answer, "no"][number % 2], metadata={"queue": answer})
        for number in range(40)
    ]
    return reported(rows, production=rows[20:])


def images(written: str) -> list[str]:
    return [base64.b64decode(raw).decode() for raw in re.findall(r"\(data:image/svg\+xml;base64,([^)]*)\)", written)]


def test_it_has_its_sections_and_each_plot_with_a_table() -> None:
    written = markdown(report())
    for title in ("Rules", "Beside recent traffic", "Over time", "Slices", "Lengths", "What a training takes"):
        assert f"\n## {title}\n" in written
    assert written.startswith("# Training set dataset\\_1\n")
    assert "40 of 40 completions: 40 train" in written
    pictures = images(written)
    assert len(pictures) == len(figures(report())) > 3
    assert all(ET.fromstring(one).get("role") == "img" for one in pictures)  # noqa: S314 - our own
    for image in re.finditer(r"!\[[^\n]*\n\n(.*?)\n\n", written, re.DOTALL):
        assert image[1].startswith("| "), "its table stands beneath"


def test_hostile_text_is_text() -> None:
    hostile = report(EVIL[:60])
    example = RowExample(id="chatcmpl-1", action="dropped", reason="Why.", question=EVIL, answer=EVIL)
    steps = [hostile.steps[0].model_copy(update={"examples": [example]}), *hostile.steps[1:]]
    written = markdown(hostile.model_copy(update={"steps": steps}))
    without = re.sub(r"data:image/svg\+xml;base64,[^)]*", "", written)
    assert "<img" not in without
    assert "javascript:" not in without
    assert "https://evil" not in without
    assert "\n## Head" not in without
    assert "onerror" in without, "it is shown"
    assert all("onerror=" not in re.sub(r"&lt;[^<]*", "", picture) for picture in images(written))


def test_a_cell_stays_one_cell() -> None:
    assert text("a|b\nc") == "a\\|b c"
    assert text("*x* _y_ <b>") == "\\*x\\* \\_y\\_ &lt;b&gt;"


def test_a_set_of_nothing_can_be_told() -> None:
    written = markdown(reported([]))
    assert "0 of 0 completions" in written
    assert "There is no recent traffic" in written
