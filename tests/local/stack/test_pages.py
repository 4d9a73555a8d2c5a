import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from local.stack.errors import StackError
from local.stack.info import write_info
from local.stack.pages import address, document_page, pages, pages_url
from local.stack.ports import HOST, free_port
from tests.local.stack.build import INFO

RUN = {"object": "eval.run", "id": "evalrun_1", "eval_id": "eval_1", "status": "completed"}


@contextmanager
def api(status, body):
    """An API that answers everything alike, and keeps what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["authorization"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/api/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shown(tmp_path):
    """The URL of pages over an API that answers as it is told."""

    @contextmanager
    def show(status=200, body=RUN):
        port, info = free_port(), tmp_path / "stack.json"
        with api(status, body) as (url, asked), pages(info, port):
            write_info(info, replace(INFO, api_url=url, api_key="sk-sh-first-x"))
            yield pages_url(port), asked

    return show


def test_a_port_that_another_process_has_is_named(tmp_path):
    with (
        ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler) as other,
        pytest.raises(StackError, match=str(other.server_port)),
        pages(tmp_path / "stack.json", other.server_port),
    ):
        raise AssertionError("two processes have one port")


def test_an_object_is_shown_with_links_and_asked_for_with_the_key(shown):
    with shown() as (url, asked):
        answer = httpx.get(f"{url}/evals/eval_1/runs/evalrun_1?limit=3")
    assert answer.status_code == 200
    assert asked == [("/api/v1/evals/eval_1/runs/evalrun_1?limit=3", "Bearer sk-sh-first-x")]
    assert "<th>status</th><td>completed</td>" in answer.text
    assert '<a href="/v1/evals/eval_1/runs/evalrun_1/output_items?limit=100">output items</a>' in answer.text
    assert "sk-sh" not in answer.text


def test_errors_keep_their_status_and_words(shown):
    with shown(404, {"error": {"message": "No such run."}}) as (url, _):
        answer = httpx.get(f"{url}/evals/x")
    assert (answer.status_code, "No such run." in answer.text) == (404, True)


def test_a_web_site_reaches_nothing_through_a_name_of_its_own(shown):
    with shown() as (url, asked):
        answer = httpx.get(f"{url}/evals/eval_1", headers={"host": "evil.example"})
        assert httpx.post(f"{url}/evals/eval_1").status_code == 501
    assert (answer.status_code, asked) == (403, [])


def test_the_start_page_leads_to_the_lists_and_other_paths_lead_nowhere(shown):
    with shown() as (url, asked):
        assert '<a href="/v1/distillations">' in httpx.get(url).text
        assert httpx.get(url.removesuffix("/v1") + "/elsewhere").status_code == 404
    assert asked == []


def test_what_was_captured_is_text_and_never_markup():
    text = document_page("/v1/x", json.dumps({"<b>": "<script>alert(1)</script>", "id": '"><img>'}).encode())
    assert "<script>" not in text
    assert "<img>" not in text
    assert "&lt;b&gt;" in text
    assert "<i>" not in document_page("/v1/x", b"no JSON <i>")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (RUN, "/evals/eval_1/runs/evalrun_1"),
        ({"object": "eval", "id": "eval_1"}, "/evals/eval_1"),
        ({"object": "distillation", "id": "distill_1"}, "/distillations/distill_1"),
        ({"object": "chat.completion", "id": "chatcmpl-1"}, "/chat/completions/chatcmpl-1"),
        ({"object": "unheard of", "id": "x"}, None),
    ],
)
def test_where_an_object_is(document, path):
    assert address(document) == path
