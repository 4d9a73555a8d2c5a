"""A key with these scopes, as the tests of the API need it."""

from __future__ import annotations

import hashlib

from foundation import table


def key_with(scopes: str) -> str:
    name = scopes.replace(" ", "")
    key = f"sk-sh-{name}-0123456789abcdef"
    digest = hashlib.sha256(key.encode()).hexdigest()
    table.put({"pk": "KEY", "sk": name, "sha256": digest, "scopes": scopes})
    return key
