"""The talk's demonstration, walked in a browser: from the captured calls to a verdict and a second attempt.

The walk is walked with scripts off and by the keyboard alone, since nothing may need a script or a mouse, and its pages
are looked at: axe-core finds no violation, and nothing is wider than a phone. The soak walks it with scripts on, on a
phone, and then looks at every page that the dashboard has, in light and dark. A page to which no link leads fails it.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import pytest
from openai import OpenAI
from playwright.sync_api import Error, Locator, Page, expect

from local.stack.info import StackInfo
from tests.dashboard.crawl import NEED_MORE, kind_of, unseen
from tests.stack.browser.conftest import AXE, DESK, PHONE, REPOSITORY, Opened

TEACHER, STUDENT = "lab-large", "lab-small"
_TRAIN, _TEST = 40, 20
_MOST_TABS = 300
# Links of a drawing have no text as their `href`.
_HREFS = "links => links.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
_ENDS_WITHIN_S = 180
_A_LOOK_MS = 1_000


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
    # One that is asked twice, so that the dataset drops it.
    mails[1] = mails[0]

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


def look(page: Page, *, dark: bool = True) -> None:
    """Look at a page in light on a phone, and in dark on a desk: accessible, and nothing wider than the screen.

    Of axe-core's rules, the colours alone depend on light and dark.
    """
    looks = [("light", PHONE, "{}"), ("dark", DESK, "{runOnly: ['color-contrast']}")]
    page.evaluate(AXE.read_text())
    for scheme, screen, rules in looks if dark else looks[:1]:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(screen)  # type: ignore[arg-type]
        found = page.evaluate(f"axe.run(document, {rules})")
        assert found["passes"], page.url
        violations = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]
        assert violations == [], (page.url, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"], (page.url, scheme)


class Keyboard:
    """Somebody who has no mouse: what is wanted is reached by Tab, then typed into or pressed."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def _reach(self, wanted: Locator) -> None:
        expect(wanted).to_be_visible()
        for _ in range(_MOST_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted} on {self._page.url}")

    def write(self, label: str, text: str) -> None:
        self._reach(self._page.get_by_label(label, exact=label == "Name").first)
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)

    def press(self, wanted: Locator) -> None:
        self._reach(wanted.first)
        self._page.keyboard.press("Enter")
        self._page.wait_for_load_state()

    def link(self, name: str) -> None:
        self.press(self._page.get_by_role("link", name=name))

    def button(self, name: str) -> None:
        self.press(self._page.get_by_role("button", name=name, exact=True))


def walk(page: Page, stack: StackInfo, tag: str) -> list[str]:
    """From the captured calls to the verdict and a second attempt, by the keyboard alone; the pages on the way."""
    seen: list[str] = []
    hands = Keyboard(page)

    def arrived(at: str) -> None:
        page.wait_for_url(at)
        seen.append(page.url.removeprefix(stack.pages_url))

    page.goto("/")
    # On a busy machine the field has the focus only some moments after the page is there.
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(stack.api_key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/completions*")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    hands.write("Tags", f"app={tag}")
    hands.button("Filter")
    arrived("**/completions?*app*")
    hands.press(page.locator("tbody a"))
    arrived("**/completions/*")
    hands.link("All of the filter")
    hands.link("Evaluate these")
    arrived("**/evals/new*")
    hands.write("Name", f"right queue {tag}")
    hands.write("Right answer", "item.metadata.queue")
    hands.button("Make the eval and run it")
    arrived("**/runs/*")
    look_until(page, page.get_by_text("completed"))
    page.goto(f"/completions?tags=app%3D{tag}")
    hands.link("Distill these")
    arrived("**/distillations/new*")
    hands.write("Student", STUDENT)
    hands.write("Tags of those to learn from", "part=train")
    hands.write("Tags of those to be measured on", "part=test")
    hands.button("Distill")
    approve_and_wait(page, hands)
    arrived("**/distillations/distill_*")
    first = page.url
    hands.link("The rows it won and lost")
    arrived("**/compare*")
    page.go_back()
    hands.link("Try again, changed")
    arrived("**/distillations/new?repeat=*")
    hands.button("Distill")
    page.wait_for_url(lambda url: "distill_" in url and "repeat" not in url and url != first)
    approve_and_wait(page, hands)
    arrived("**/distillations/distill_*")
    return seen


def labelled(page: Page, stack: StackInfo, run: str) -> list[str]:
    """Label rows of a run by single keys, and make the judge card of the labels; the pages on the way."""
    page.goto(run)
    page.get_by_role("link", name="Label rows for").first.click()
    # Keys are heard once the page is whole.
    page.wait_for_url("**/label*")
    for key, words in (
        ("p", "1 labelled: 1 pass, 0 fail"),
        ("n", "1 labelled: 1 pass, 0 fail"),
        ("f", "2 labelled: 1 pass, 1 fail"),
    ):
        before = page.url
        page.keyboard.press(key)
        page.wait_for_url(lambda url, before=before: url != before)
        expect(page.get_by_role("status")).to_contain_text(words)
    seen = [page.url]
    page.get_by_role("button", name="Make the judge card of 2 labels").click()
    page.wait_for_url("**/calibrations/*")
    expect(page.get_by_role("region", name="Agreement")).to_contain_text("of 2 rows")
    return [url.removeprefix(stack.pages_url) for url in (*seen, page.url)]


def approve_and_wait(page: Page, hands: Keyboard) -> None:
    """Press Approve where the few rows of this test cannot carry the claim, and wait for the verdict."""
    approve = page.get_by_role("button", name="Approve")
    verdict = page.get_by_role("region", name="Verdict")
    look_until(page, approve.or_(verdict))
    if approve.is_visible():
        hands.press(approve)
    look_until(page, verdict)


def look_until(page: Page, wanted: Locator) -> None:
    """Load the page until this is on it, sooner than it looks again by itself: a job is looked at every 30 seconds."""
    ends = time.monotonic() + _ENDS_WITHIN_S
    while not wanted.first.is_visible():
        assert time.monotonic() < ends, page.url
        page.wait_for_timeout(_A_LOOK_MS)
        # Refused where the page is just then loading itself anew.
        with suppress(Error):
            page.reload()


def every_page(page: Page, stack: StackInfo, seen: list[str]) -> list[str]:
    """Look at every page that links lead to, one of each kind, beginning with those that were seen."""
    kinds: dict[str, str] = {}
    waiting = [*seen, "/"]
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kind in kinds or path.endswith("file=1") or unseen([path]) == unseen([]):
            continue
        kinds[kind] = path
        page.goto(path)
        if page.evaluate("document.contentType") != "text/html":
            continue
        waiting += [
            address.removeprefix(stack.pages_url)
            for address in page.eval_on_selector_all("a[href]", _HREFS)
            if address.startswith(stack.pages_url)
        ]
        look(page)
    return list(kinds.values())


def test_the_walk_without_scripts_and_mouse(opened: Opened, stack: StackInfo, captured: str) -> None:
    seen = walk(opened(scripts=False), stack, captured)
    # axe-core is a script.
    other = opened()
    sign_in(other, stack)
    of_kinds = {kind_of(path): path for path in seen}
    assert len(of_kinds) == 7
    for path in of_kinds.values():
        other.goto(path)
        look(other, dark=False)


@pytest.mark.soak(alone=True)
def test_the_walk_with_scripts_on_a_phone_and_every_page_there_is(
    opened: Opened, stack: StackInfo, captured: str
) -> None:
    seen = walk(opened(phone=True), stack, captured)
    with OpenAI(base_url=stack.api_url, api_key=stack.api_key) as client:
        client.put("/aliases/quick-reply", cast_to=object, body={"targets": [{"model": STUDENT}]})
    other = opened()
    sign_in(other, stack)
    seen += labelled(other, stack, next(path for path in seen if "/runs/" in path))
    assert unseen(every_page(other, stack, seen)) <= NEED_MORE | {"/"}


def test_keys_lead_to_the_next_completion_and_back(opened: Opened, stack: StackInfo, captured: str) -> None:
    page = opened()
    sign_in(page, stack)
    page.goto(f"/completions?tags=app%3D{captured}")
    page.locator("tbody a").first.press("Enter")
    page.wait_for_url("**/completions/*")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    page.keyboard.press("k")
    page.wait_for_url(first)
