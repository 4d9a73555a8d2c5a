"""Every page that links lead to, each kind a few times: a page that is new is found without being named."""

from __future__ import annotations

import re

from dashboard.routes import routes
from tests.dashboard.browser import Answer, Browser

UNLINKED = {"/sign-in", "/static/<name>", "/reports/<object_id>"}
"""Pages to which no page links: before the sign-in, files, and where a command asks."""
NEED_MORE = {
    "/evals/<eval_id>/calibrations/<calibration_id>",
    "/aliases/<name>",
    "/aliases/<name>/drift",
    "/channels/<channel_id>",
    "/rollouts/<rollout_id>",
    "/rollouts/<rollout_id>/pairs",
}
"""Pages of objects that a distillation does not make; the tests of those have them."""
_OF_A_KIND = 2


def crawled(browser: Browser, *starts: str) -> dict[str, str]:
    """By path, what is read on every page that links lead to from some: of lists, the first two of a kind."""
    return {path: page.text for path, page in pages(browser, *starts).items()}


def pages(browser: Browser, *starts: str) -> dict[str, Answer]:
    """The same pages, each as it was answered."""
    read: dict[str, Answer] = {}
    kinds: dict[str, int] = {}
    waiting = list(starts or ("/",))
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if path in read or kinds.get(kind, 0) == _OF_A_KIND:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        page = browser.page(path)
        assert len(page.body.encode()) < 200_000 or page.headers["content-type"].startswith("text/plain"), path
        read[path] = page
        waiting += [link for link in page.links if link.startswith("/")]
    return read


def kind_of(path: str) -> str:
    """A path with `N` for each id in it. What a press counts whole, or saves as a file, is another kind."""
    pressed = re.search(r"[?&](all|file)=1(?=[&#]|$)", path)
    plain = re.split("[?#]", path)[0] + (f"?{pressed[1]}" if pressed else "")
    return re.sub(r"[\w:%.-]*\d[\w:%.-]*", "N", plain)


def unseen(paths: list[str]) -> set[str]:
    """The pages of the dashboard, by their routes, that none of these paths is of."""
    wanted = {route.path: route for route in routes() if route.method == "GET" and route.path not in UNLINKED}
    seen = set()
    for path in paths:
        plain = re.split("[?#]", path)[0]
        seen |= {
            next((route.path for route in routes() if route.method == "GET" and route.match(plain) is not None), "")
        }
    return wanted.keys() - seen
