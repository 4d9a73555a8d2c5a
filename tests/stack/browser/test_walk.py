"""The talk's demonstration, walked in a browser: from the captured calls to a verdict and a second attempt.

Each page on the way is looked at in light, dark and phone width: axe-core finds no violation, and nothing is wider than
the screen. The walk itself is walked with scripts off, since nothing may need them; with scripts on it is in the soak.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from openai import OpenAI
from playwright.sync_api import Page, expect

from local.stack.info import StackInfo
from tests.stack.browser.conftest import AXE, DESK, PHONE, REPOSITORY, Opened

TEACHER, STUDENT = "lab-large", "lab-small"
_TRAIN, _TEST = 40, 20
_ENDS_WITHIN_MS = 180_000


@pytest.fixture(scope="module")
def tag() -> str:
    return uuid4().hex[:8]


@pytest.fixture(scope="module")
def captured(deployed: StackInfo, tag: str) -> str:
    """Mail that the teacher has answered through the gateway, in two parts."""
    gateway = OpenAI(base_url=deployed.gateway_url, api_key=deployed.api_key)
    client = OpenAI(base_url=deployed.api_url, api_key=deployed.api_key)
    lines = (REPOSITORY / "examples" / "support_mail.jsonl").read_text().splitlines()[: _TRAIN + _TEST]
    mails = [json.loads(line) for line in lines]

    def answer(number: int) -> None:
        metadata = {"app": tag, "part": "train" if number < _TRAIN else "test", "queue": mails[number]["queue"]}
        gateway.chat.completions.create(
            model=TEACHER,
            messages=[{"role": "user", "content": mails[number]["mail"]}],
            store=True,
            metadata=metadata,
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(answer, range(len(mails))))
    while len(list(client.chat.completions.list(metadata={"app": tag}, limit=100))) < len(mails):
        time.sleep(0.3)
    return tag


def sign_in(page: Page, stack: StackInfo) -> None:
    page.goto("/")
    page.get_by_label("API key").fill(stack.api_key)
    page.get_by_role("button", name="Sign in").click()


def look(page: Page) -> None:
    """Look at a page in light on a phone, then in dark on a desk: accessible, and nothing wider than the screen.

    Of axe-core's rules, the colours alone depend on light and dark.
    """
    page.evaluate(AXE.read_text())
    for scheme, screen, rules in (("light", PHONE, "{}"), ("dark", DESK, "{runOnly: ['color-contrast']}")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(screen)  # type: ignore[arg-type]
        found = page.evaluate(f"axe.run(document, {rules})")
        assert found["passes"], page.url
        violations = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]
        assert violations == [], (page.url, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"], (page.url, scheme)


def walk(page: Page, stack: StackInfo, tag: str) -> list[str]:
    """From the captured calls to the verdict and a second attempt; the pages on the way."""
    seen: list[str] = []

    def arrived() -> None:
        seen.append(page.url.removeprefix(stack.pages_url))

    sign_in(page, stack)
    page.get_by_label("Tags").fill(f"app={tag}")
    page.get_by_role("button", name="Filter").click()
    arrived()
    page.locator("tbody a").first.click()
    arrived()
    page.get_by_role("link", name="All of the filter").click()
    page.get_by_role("link", name="Evaluate these").click()
    arrived()
    page.get_by_label("Name", exact=True).fill(f"right queue {tag}")
    page.get_by_label("Right answer").fill("item.metadata.queue")
    page.get_by_role("button", name="Make the eval and run it").click()
    expect(page.get_by_text("completed").first).to_be_visible(timeout=_ENDS_WITHIN_MS)
    arrived()
    page.goto(f"/completions?tags=app%3D{tag}")
    page.get_by_role("link", name="Distill these").click()
    arrived()
    page.get_by_label("Name", exact=True).fill(f"mail {tag}")
    page.get_by_label("Student").fill(STUDENT)
    page.get_by_label("Tags of those to learn from").fill("part=train")
    page.get_by_label("Tags of those to be measured on").fill("part=test")
    page.get_by_role("button", name="Distill", exact=True).click()
    approve_and_wait(page)
    arrived()
    page.get_by_role("link", name="The rows it won and lost").click()
    arrived()
    page.go_back()
    page.get_by_text("Repeat it on the same rows").click()
    page.get_by_role("button", name="Repeat").click()
    approve_and_wait(page)
    arrived()
    return seen


def approve_and_wait(page: Page) -> None:
    """Press Approve where the few rows of this test cannot carry the claim, and wait for the verdict."""
    approve = page.get_by_role("button", name="Approve")
    verdict = page.get_by_role("region", name="Verdict")
    expect(approve.or_(verdict).first).to_be_visible(timeout=_ENDS_WITHIN_MS)
    if approve.is_visible():
        approve.click()
    expect(verdict).to_be_visible(timeout=_ENDS_WITHIN_MS)


def test_the_walk_and_every_page_on_it(opened: Opened, stack: StackInfo, captured: str) -> None:
    seen = walk(opened(scripts=False), stack, captured)
    assert len({path.split("?")[0] for path in seen}) == 8
    pages = [*seen, "/evals", "/datasets", "/distillations", "/models", "/usage", "/settings"]
    other = opened()
    sign_in(other, stack)
    for path in pages:
        other.goto(path)
        look(other)


@pytest.mark.soak(alone=True)
def test_the_walk_with_scripts_on_a_phone(opened: Opened, stack: StackInfo, captured: str) -> None:
    walk(opened(phone=True), stack, captured)


def test_the_keyboard_alone_reaches_a_completion_and_the_next_one(
    opened: Opened, stack: StackInfo, captured: str
) -> None:
    page = opened()
    page.goto("/")
    page.keyboard.type(stack.api_key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/completions*")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.goto(f"/completions?tags=app%3D{captured}")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/completions/*")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    page.keyboard.press("k")
    page.wait_for_url(first)
