"""`python -m local.screenshots`: pictures of the web pages of the local stack, for the documentation.

In: the stack that is up, in which a demo has come to its verdict (`make demo ARGS=--keep`), and the browser of
`make .tools/chromium/.ready`. Out: PNG files in docs/screenshots, each of at most 160 kB. Exit 1 where there is no such
stack, no browser, or a picture is larger.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openai import OpenAI
from playwright.sync_api import Browser, sync_playwright

from local.stack.control import running
from local.stack.info import StackInfo

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "docs" / "screenshots"
_LAUNCH = _ROOT / ".tools" / "chromium" / "launch.json"
_MOST_BYTES = 160_000
_DESK, _PHONE = {"width": 1200, "height": 680}, {"width": 390, "height": 760}


class Picture(NamedTuple):
    """A page, and how it is looked at. `below` is the text to which it is scrolled."""

    name: str
    path: str
    dark: bool = False
    phone: bool = False
    below: str = ""


def main() -> int:
    stack = running()
    if stack is None or not _LAUNCH.exists():
        sys.stderr.write("error: run 'make demo ARGS=--keep' and 'make .tools/chromium/.ready' first\n")
        return 1
    pictures = list(_pictures(stack))
    if not pictures:
        sys.stderr.write("error: no distillation of this stack has a verdict: run 'make demo ARGS=--keep'\n")
        return 1
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = json.loads(_LAUNCH.read_text())["path"]
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        sizes = {picture.name: _take(browser, stack, picture) for picture in pictures}
        browser.close()
    large = [f"{name}: {size:,} bytes" for name, size in sizes.items() if size > _MOST_BYTES]
    for line in large:
        sys.stderr.write(f"error: a picture is over {_MOST_BYTES:,} bytes: {line}\n")
    return 1 if large else 0


def _pictures(stack: StackInfo) -> Iterator[Picture]:
    """The pages that are shown, over the newest distillation that has a verdict."""
    client = OpenAI(base_url=stack.api_url, api_key=stack.api_key)
    listed = client.get("/distillations?order=desc&limit=50", cast_to=object)
    decided = [each for each in listed["data"] if each["verdict"]]  # type: ignore[index]
    if not decided:
        return
    # The one with the most rows: later ones may be trials with a few.
    best = max(decided, key=lambda each: each["verdict"]["rows"])
    page, eval_path, runs = f"/distillations/{best['id']}", f"/evals/{best['eval_id']}", best["verdict"]["runs"]
    filtered = f"tags=split%3Dtrain&model={best['teacher']}"
    first = client.get(f"/chat/completions?metadata[split]=train&limit=1&model={best['teacher']}", cast_to=object)
    completion = first["data"][0]["id"]  # type: ignore[index]
    yield Picture("completions", f"/completions?{filtered}")
    yield Picture("completion", f"/completions/{completion}?{filtered}")
    yield Picture("new-eval", f"/evals/new?{filtered}")
    yield Picture("run", f"{eval_path}/runs/{runs['distilled']}")
    yield Picture("comparison", f"{eval_path}/compare?run={runs['distilled']}&baseline={runs['baseline']}")
    yield Picture("new-distillation", f"/distillations/new?repeat={best['id']}")
    yield Picture("verdict", page)
    yield Picture("dataset", f"/datasets/{best['dataset_id']}?rule=duplicates", below="Rows")
    yield Picture("lineage", f"/lineage/{best['verdict']['id']}")
    yield Picture("usage", "/usage")
    yield Picture("phone", page, dark=True, phone=True)


def _take(browser: Browser, stack: StackInfo, picture: Picture) -> int:
    """Take a picture as somebody who has signed in; its size in bytes."""
    context = browser.new_context(
        base_url=stack.pages_url,
        color_scheme="dark" if picture.dark else "light",
        viewport=_PHONE if picture.phone else _DESK,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_label("API key").fill(stack.api_key)
    page.get_by_role("button", name="Sign in").click()
    page.goto(picture.path)
    if picture.below:
        page.get_by_role("heading", name=picture.below, exact=True).evaluate("heading => heading.scrollIntoView()")
    image = page.screenshot(path=_FOLDER / f"{picture.name}.png")
    context.close()
    return len(image)


if __name__ == "__main__":
    sys.exit(main())
