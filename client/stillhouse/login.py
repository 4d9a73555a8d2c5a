"""Which Stillhouse the command asks, and with which key, so that neither need be said each time.

In: what `stillhouse login` was told. Out: the address and the key, in a file that only its owner may read. The
environment comes first: STILLHOUSE_BASE_URL and STILLHOUSE_API_KEY. A kept key is sent to its own address alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from stillhouse.importing.stopped import Stopped

_KEY = "STILLHOUSE_API_KEY"
_OWNER_ONLY = 0o600


class Login(NamedTuple):
    """An address up to /v1, and the key that it takes."""

    url: str
    key: str


def file() -> Path:
    """Where the login is kept."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "stillhouse" / "login.json"


def kept() -> Login | None:
    """The login that is kept. Raises Stopped where its file was broken."""
    try:
        fields = json.loads(file().read_text(encoding="utf-8"))
        return Login(url=str(fields["url"]), key=str(fields["key"]))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise Stopped(f"{file()} is no login: run `stillhouse login` again") from error


def keep(login: Login) -> Path:
    """Keep this login instead of the one before. The file appears whole, and is its owner's from the start."""
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    new.touch(_OWNER_ONLY, exist_ok=False)
    new.write_text(json.dumps(login._asdict()), encoding="utf-8")
    new.replace(path)
    return path


def forget() -> bool:
    """Delete the login; False where there was none."""
    try:
        file().unlink()
    except FileNotFoundError:
        return False
    return True


def address() -> str:
    """The address of the login, for a command that was told none. Raises Stopped without one."""
    login = kept()
    if login is None:
        raise Stopped("say which Stillhouse: `stillhouse login URL`, STILLHOUSE_BASE_URL or --to")
    return login.url


def _root(url: str) -> str:
    """The address without /v1: the web pages are beside the API."""
    return url.rstrip("/").removesuffix("/v1")


def key_for(url: str) -> str:
    """The key for this address: that of the environment, else that of the login. Raises Stopped without one."""
    key = os.environ.get(_KEY)
    if key:
        return key
    login = kept()
    if login is not None and _root(login.url) == _root(url):
        return login.key
    raise Stopped(f"{_KEY} is not set, and `stillhouse login` was not told a key for {url}")
