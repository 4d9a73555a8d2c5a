import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from local.stack.errors import StackError
from local.stack.info import write_info
from local.stack.pages import pages, pages_url
from local.stack.ports import HOST, free_port
from tests.local.stack.build import INFO
from tests.loopback import serving


class Api(BaseHTTPRequestHandler):
    """It answers with what it was asked, and two cookies."""

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(303 if self.path.endswith("/elsewhere") else 200)
        self.send_header("location", "/there")
        self.send_header("set-cookie", "a=1")
        self.send_header("set-cookie", "b=2")
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['authorization']} {self.headers['cookie']} ".encode() + asked)

    def log_message(self, *_):
        pass


@contextmanager
def passed_on(tmp_path, address):
    port, info = free_port(), tmp_path / "stack.json"
    with pages(info, port):
        if address:
            write_info(info, replace(INFO, api_url=f"{address}/_aws/execute-api/1/$default/v1"))
        yield pages_url(port)


def test_a_port_that_another_process_has_is_named(tmp_path):
    with (
        ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler) as other,
        pytest.raises(StackError, match=str(other.server_port)),
        pages(tmp_path / "stack.json", other.server_port),
    ):
        raise AssertionError("two processes have one port")


@pytest.mark.parametrize("path", ["/evals/eval_1?after=x", "/v1/evals", "/"])
def test_a_request_is_passed_on_as_it_is(tmp_path, path):
    headers = {"authorization": "Bearer k", "cookie": "c=1"}
    with serving(Api) as address, passed_on(tmp_path, address) as url:
        answer = httpx.post(url + path, content=b"body", headers=headers)
    assert answer.text == f"/_aws/execute-api/1/$default{path} Bearer k c=1 body"


def test_nothing_is_followed_and_every_cookie_comes_back(tmp_path):
    with serving(Api) as address, passed_on(tmp_path, address) as url:
        answer = httpx.post(f"{url}/elsewhere", content=b"")
    assert (answer.status_code, answer.headers["location"]) == (303, "/there")
    assert dict(answer.cookies) == {"a": "1", "b": "2"}


def test_a_stack_that_starts_or_is_gone_is_said(tmp_path):
    with passed_on(tmp_path, None) as url:
        assert httpx.get(url).status_code == 503
    with passed_on(tmp_path, f"http://{HOST}:{free_port()}") as url:
        assert httpx.get(url).status_code == 502


@pytest.mark.parametrize("headers", [b"transfer-encoding: chunked", b"content-length: -1", b"content-length: x"])
def test_a_body_whose_length_is_not_said_is_refused(tmp_path, headers):
    """What stands in the body must not be taken for a request of its own."""
    with serving(Api) as address, passed_on(tmp_path, address) as url:
        connection = socket.create_connection((HOST, int(url.rpartition(":")[2])), timeout=5)
        with connection, connection.makefile("rb") as answers:
            connection.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n\r\nPOST /b HTTP/1.1\r\n\r\n")
            answer = answers.read()
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_the_pages_end_with_their_block(tmp_path):
    with passed_on(tmp_path, None) as url:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert not [thread for thread in threading.enumerate() if thread.name == "pages"]
