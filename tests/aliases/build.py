"""Aliases as tests want them."""

from __future__ import annotations

from typing import Any

from aliases.alias import Routing, StickyBy, Target
from aliases.choosing import Call

SALT = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def routing(*targets: tuple[str, int] | tuple[str, int, dict[str, str]], **fields: Any) -> Routing:
    """A routing to these models with these weights, and with a `when` where there is a third."""
    made = [Target(model=of[0], weight=of[1], when=of[2] if len(of) > 2 else {}) for of in targets]
    return Routing(targets=made, **fields)


def call(user: str = "", **fields: Any) -> Call:
    """A call of this user."""
    request = {"user": user} if user else {}
    return Call(**{"request": request, "messages": [{"role": "user", "content": "q"}], **fields})


STICKY = StickyBy(header="x-session", metadata="customer")
