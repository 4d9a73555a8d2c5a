"""Pages from templates. Whatever is put into one is text: it is escaped, and marks that would hide or turn it show."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import shown
from dashboard.answers import Page
from dashboard.lineage_graph import kind_name
from dashboard.linked import row_path
from dashboard.visit import Visit, base, link

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
_SECTIONS = (
    ("Completions", "/completions", "read"),
    ("Evals", "/evals", "read"),
    ("Datasets", "/datasets", "read"),
    ("Distillations", "/distillations", "read"),
    ("Experiments", "/experiments", "read"),
    ("Models", "/models", "read"),
    ("Aliases", "/aliases", "read"),
    ("Rollouts", "/rollouts", "read"),
    ("Usage", "/usage", "read"),
    ("Health", "/health", "admin"),
    ("Settings", "/settings", "read"),
)
"""Each section with its path, and the scope of those who see it."""
_ENDS = [("", "any"), *((reason, reason) for reason in ("stop", "length", "tool_calls", "content_filter"))]
"""How an answer ended, as a form offers it."""
_TONES = {
    **dict.fromkeys(
        ("completed", "ready", "pass", "beats_baseline", "better", "train", "won", "all_right", "well"), "good"
    ),
    **dict.fromkeys(
        (
            "failed",
            "fail",
            "error",
            "cancelled",
            "canceled",
            "worse",
            "dropped",
            "lost",
            "all_wrong",
            "errored",
            "raised",
        ),
        "bad",
    ),
    **dict.fromkeys(("blocked", "inconclusive", "no_better", "noise", "paused"), "careful"),
    **dict.fromkeys(("promoted", "holds", "running"), "good"),
    **dict.fromkeys(("rolled_back", "breached"), "bad"),
    **dict.fromkeys(("frozen", "doubtful"), "careful"),
    "delivered": "good",
    "given_up": "bad",
    "pending": "careful",
}
"""How a status looks; its word stands beside it always."""


def html(page: Page, visit: Visit) -> str:
    """The page as HTML."""
    template = _environment().get_template(page.template)
    given = {"title": page.title, "visit": visit, "may": visit.may, "base": base(), "link": link, "step": shown.step}
    sections = [(name, path) for name, path, scope in _SECTIONS if visit.may(scope)]
    return template.render(page.content, sections=sections, **given)


@cache
def _environment() -> Environment:
    # Imported here: files and redirections do without it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(shown.FILTERS)
    # Only for an SVG of `plots`, which has escaped whatever was put into it.
    environment.filters["drawn"] = environment.filters["safe"]
    environment.globals.update(tones=_TONES, ENDS=_ENDS, row_path=row_path, kind_name=kind_name)
    return environment
