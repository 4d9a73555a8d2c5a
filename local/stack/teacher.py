"""Makes the lab's teacher ready: `lab-large` learns to sort the bundled support mail, once.

In: the lab's URL. Out: a lab that answers for `lab-large`; one that does already is left as it is. Fails with
StackError, in the lab's own words.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from local.samples import mail
from local.stack.errors import StackError

TEACHER = "lab-large"
_SECONDS = 300


def prepare_teacher(lab_url: str) -> bool:
    """Teach `lab-large` unless the lab knows it; whether it learnt now."""
    models = _call(f"{lab_url}/models", None)["data"]
    if TEACHER in {model["id"] for model in models}:
        return False
    examples = [{"messages": row.prompt(), "answer": row.reference} for row in mail.schooling()]
    _call(f"{lab_url.removesuffix('/v1')}/lab/models", {"id": TEACHER, "examples": examples})
    return True


def _call(url: str, body: object) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=_SECONDS) as response:  # noqa: S310 - the lab's own address
            answer: dict[str, Any] = json.load(response)
            return answer
    except (OSError, ValueError) as error:
        raise StackError(f"the lab did not learn its teacher: {error}") from error
