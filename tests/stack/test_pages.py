"""The web pages of the deployed stack, with the permissions that the template gives their function."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from local.stack.info import StackInfo

SECTIONS = ("Completions", "Evals", "Datasets", "Distillations", "Models", "Usage", "Settings")


@pytest.fixture
def browser(stack: StackInfo) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.pages_url, follow_redirects=True, timeout=60) as client:
        yield client


def test_somebody_signs_in_looks_at_every_section_and_signs_out(stack: StackInfo, browser: httpx.Client) -> None:
    asked = browser.get("/completions")
    assert asked.url.path == "/sign-in"
    assert browser.get("/static/stillhouse.css").headers["content-type"].startswith("text/css")
    page = browser.post("/sign-in", data={"key": stack.api_key})
    assert page.status_code == 200
    for section in SECTIONS:
        path = f"/{section.lower()}"
        page = browser.get(path)
        assert (page.status_code, page.url.path) == (200, path)
        assert f"<h1>{section}</h1>" in page.text
    csrf = re.findall('name="csrf" value="([0-9a-f]{64})"', page.text)[0]
    assert browser.post("/sign-out", data={"csrf": csrf}).url.path == "/sign-in"
    assert browser.get("/evals").url.path == "/sign-in"


def test_the_short_address_is_that_of_the_api_too(stack: StackInfo) -> None:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    assert httpx.get(f"{stack.pages_url}/v1/evals", headers=headers, timeout=60).json()["object"] == "list"
    assert httpx.get(f"{stack.pages_url}/v1/evals", timeout=60).status_code == 401
