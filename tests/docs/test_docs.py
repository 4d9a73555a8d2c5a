"""The documentation is whole: its links lead somewhere, and what a user may name occurs in it."""

import re
from pathlib import Path

import pytest

from foundation import events
from tests.template.loading import template

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-distillation.md"
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_reached_from_the_index():
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
    }
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} <= linked


def documented() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.is_relative_to(ROOT / "docs"))


def test_every_parameter_grader_and_message_is_documented():
    messages = [name for name, value in vars(events).items() if isinstance(value, type) and hasattr(value, "QUEUE")]
    assert len(messages) > 5
    graders = [path.stem for path in (ROOT / "services" / "graders").glob("*.json")]
    assert len(graders) > 5
    names = [*template()["Parameters"], *graders, *messages]
    text = documented()
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_first_eval_stands_in_its_page_as_it_is():
    script = (ROOT / "examples" / "first_eval.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in (ROOT / "docs" / "how-to" / "evals.md").read_text(encoding="utf-8")


def test_the_tutorial_quotes_its_script_as_it_is():
    quoted = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = (ROOT / "examples" / "first_distillation.py").read_text(encoding="utf-8")
    assert len(quoted) > 4
    # The formatter breaks the lines of a quotation anew.
    assert [code for code in quoted if "".join(code.split()) not in "".join(script.split())] == []
