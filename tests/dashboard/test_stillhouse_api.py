"""The client of the API over real connections: what is sent, refusals, failures, links to large answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest

from dashboard.stillhouse_api import Api, ApiFailed, Asked
from foundation.errors import ApiError, Forbidden, RetryLater, Unauthorized
from foundation.settings import settings
from tests.loopback import serving


class Answers(BaseHTTPRequestHandler):
    """It answers `/v1/<status>` with that status; `/v1/large` by a link; anything else with what it was asked."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        name, _, query = self.path.removeprefix("/v1/").partition("?")
        status = int(name) if name.isdecimal() else 303 if name == "large" else 200
        asked = [self.command, self.path, self.headers["authorization"], body.decode()]
        error = {"message": "Name a model.", "param": "model", "code": parse_qs(query).get("code", ["missing"])[0]}
        answer: Any = {"error": error} if status >= 400 else asked
        raw = b"no JSON" if name == "404" else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("location", f"http://{self.headers['host']}/copy")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("TABLE", "table")
    monkeypatch.setenv("BUCKET", "bucket")
    monkeypatch.setenv("PROVIDER_BASE_URL", "http://provider.test")
    with serving(Answers) as address:
        monkeypatch.setenv("API_URL", f"{address}/v1")
        settings.cache_clear()
        yield Api("sk-sh-session_1-x")
    settings.cache_clear()


def test_what_is_asked_goes_with_the_key(api: Api) -> None:
    assert api.get("/evals", {"after": "a b"}) == ["GET", "/v1/evals?after=a+b", "Bearer sk-sh-session_1-x", ""]
    assert api.post("/keys", {"name": "x"})[3] == '{"name":"x"}'
    assert api.post("/distillations/1/approve")[3] == ""
    assert api.delete("/keys/1")[0] == "DELETE"


def test_a_link_to_a_large_answer_is_followed_without_the_key(api: Api) -> None:
    assert api.get("/large") == ["GET", "/copy", None, ""]


def test_refusals_keep_their_status_their_words_and_their_field(api: Api) -> None:
    for status, kind in ((400, ApiError), (401, Unauthorized), (403, Forbidden), (409, ApiError)):
        with pytest.raises(kind) as refusal:
            api.get(f"/{status}")
        assert (refusal.value.status, refusal.value.message, refusal.value.param) == (status, "Name a model.", "model")
    with pytest.raises(ApiError) as refusal:
        api.get("/404")
    assert refusal.value.status == 404


def test_what_fails_may_be_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (429, 502, 503, 504):
        with pytest.raises(RetryLater):
            api.get(f"/{status}")
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9/v1")
    settings.cache_clear()
    with pytest.raises(RetryLater):
        api.get("/evals")


@pytest.mark.parametrize(("status", "code"), [("503", "provider_away"), ("502", "provider_refused")])
def test_a_provider_of_models_that_is_away_is_told_by_its_name_and_not_as_load(
    api: Api, status: str, code: str
) -> None:
    with pytest.raises(ApiError, match="Name a model") as refusal:
        api.get(f"/{status}", {"code": code})
    assert (refusal.value.status, refusal.value.param) == (int(status), "model")
    assert api.all([Asked(f"/{status}", {"code": code}, spare=True)]) == [None]


def test_nothing_is_asked_once_the_time_of_the_page_is_over(api: Api) -> None:
    with pytest.raises(RetryLater, match="took too long"):
        api._replace(until=0.0).get("/evals")


def test_a_fault_is_not_told_as_load(api: Api) -> None:
    with pytest.raises(ApiFailed, match="500 to GET /500") as failed:
        api.get("/500")
    assert (failed.value.status, failed.value.request_id) == (500, None)
    assert api.all([Asked("/500", spare=True)]) == [None]


def test_of_several_answers_those_that_are_not_there_or_not_allowed_are_none(api: Api) -> None:
    answers = api.all([Asked("/a"), Asked("/404"), Asked("/403"), Asked("/b", {"limit": "1"})])
    assert [answer and answer[1] for answer in answers] == ["/v1/a", None, None, "/v1/b?limit=1"]
    with pytest.raises(Unauthorized):
        api.all([Asked("/a"), Asked("/401")])
