"""A test's own server says what went wrong in its handler, and nothing of a client that hung up."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from tests.loopback import serving


@pytest.mark.parametrize(
    ("raised", "told"), [(ConnectionResetError, False), (BrokenPipeError, False), (ValueError, True)]
)
def test_only_what_the_handler_does_wrong_is_printed(
    raised: type[Exception], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raise raised

    with serving(Handler) as url, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    assert (raised.__name__ in capsys.readouterr().err) is told
