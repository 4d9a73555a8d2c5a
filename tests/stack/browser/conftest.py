"""Chromium on the pages of the deployed stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from local.stack.info import StackInfo

REPOSITORY = Path(__file__).resolve().parents[3]
LAUNCH = REPOSITORY / ".tools" / "chromium" / "launch.json"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

type Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert LAUNCH.exists(), "There is no browser: run 'make .tools/chromium/.ready', which needs npm's registry."
    launch = json.loads(LAUNCH.read_text())
    with sync_playwright() as playwright:
        # The package's arguments are for Lambda; without a sandbox of its own it runs as root too.
        browser = playwright.chromium.launch(executable_path=launch["path"], args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, stack: StackInfo) -> Iterator[Opened]:
    """A page of somebody who has not signed in; what a page fails at or says in its console fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(*, scripts: bool = True, phone: bool = False) -> Page:
        context = chromium.new_context(
            base_url=stack.pages_url,
            java_script_enabled=scripts,
            viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
