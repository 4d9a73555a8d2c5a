"""Which target of an alias has made a response: a call that goes on from it is asked there, too.

The response is kept at its provider, and another target's may not know it. In: what the SDK returned of a response, and
the target that was asked. Out: the target, by the id of the response. The newest ids are known, of this process alone.
Nothing here raises into the application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from stillhouse.capturing.call import Call
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.records import Seen

MOST = 10_000
_LONGEST_ID = 512
_EVENT = re.compile(rb"^data:(.*)$", re.MULTILINE)


class Conversations:
    """The targets of the newest responses."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def target_of(self, parameters: Mapping[str, Any]) -> str | None:
        """The target that made the response from which a call goes on; None where none is known."""
        previous = parameters.get("previous_response_id")
        return self._targets.get(previous) if isinstance(previous, str) else None

    def watch(self, answer: Any, target: str) -> None:
        """Note the id of a response: at once, or when the application has read its stream."""

        def note(seen: Seen) -> None:
            body = seen.response if isinstance(seen.response, bytes) else b"".join(seen.response)
            self._note(_id_in(body), target)

        Call(b"", "", note, Tally()).answered(answer)

    def _note(self, response_id: Any, target: str) -> None:
        if isinstance(response_id, str) and len(response_id) <= _LONGEST_ID:
            self._targets[response_id] = target
        while len(self._targets) > MOST:
            # Another thread may have taken the oldest one meanwhile.
            self._targets.pop(next(iter(self._targets), ""), None)


def _id_in(body: bytes) -> Any:
    """The id of a whole response, or of the one that the events of a stream are about; None where none is told."""
    if body.lstrip()[:1] == b"{":
        return _object(body).get("id")
    # Before the first event of a response `keepalive` may come.
    responses = (_object(event[1]).get("response") for event in _EVENT.finditer(body))
    return next((response.get("id") for response in responses if isinstance(response, dict)), None)


def _object(text: bytes) -> dict[str, Any]:
    """The object in a JSON text; an empty one where there is none, as in a stream that was left early."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
