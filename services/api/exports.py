"""Exports: the completions of a filter as NDJSON, in the shape in which they are pushed.

A page ends where it has `limit` lines, where more would not fit into one answer, or where one call has looked far
enough; then the header `x-stillhouse-after` has the `after` of the next one, else the export is whole. What comes out
of one Stillhouse goes unchanged into another. A completion that is larger than an answer has a line with a link in its
place.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import orjson
from aws_lambda_powertools.event_handler import Response

from api import filters
from completions import index
from completions.completion import Completion
from completions.scan import Scan
from foundation import edge, http, links
from foundation.document import Document
from foundation.ids import now
from foundation.routes import Query, Routes

router = Routes("Exports")
_NEXT = "x-stillhouse-after"
_MEDIA = "application/x-ndjson"
_MOST = 1_000_000
"""Far more lines than fit into an answer."""
_WHOLE = {"type": "integer", "minimum": 1}


class LinkedCompletion(Document):
    """Stands in an export for a completion that is larger than an answer may be."""

    object: Literal["completion.link"] = "completion.link"
    id: str
    """The completion's id."""
    bytes: int
    """How many the completion's own line has."""
    url: str
    """A link to that line. It needs no key."""
    url_expires_at: int
    """Seconds UTC."""


class _Line(NamedTuple):
    """A line of the export, and the completion that it is about."""

    text: bytes
    id: str
    created: int


@router.get(
    "/v1/exports/completions",
    scope="read",
    media=_MEDIA,
    query=(
        *filters.CONDITIONS,
        Query("after", "The value of the header `x-stillhouse-after` of the page before."),
        Query("limit", "How many completions a page has at most; as many as fit into an answer if absent.", _WHOLE),
    ),
    errors=filters.UNKNOWN_FILTER,
    headers={_NEXT: "The `after` of the next page. Absent where the export is whole."},
)
def export_completions() -> Response[Any]:
    """Export the completions of a filter as NDJSON.

    Each line has the shape in which completions are pushed, so that it can be pushed to another Stillhouse. A line that
    would not fit into an answer of 6 MB is `{"object": "completion.link", "id", "bytes", "url", "url_expires_at"}` in
    its place: the line itself is at the link.
    """
    after_id = http.query_of(router, "after")
    after = index.find(after_id, deleted=True) if after_id else None
    scan = Scan()
    known = after_id is None or after is not None
    completions = index.completions(filters.wanted(router), after=after, scan=scan) if known else iter(())
    lines, has_more = http.cut(map(_line, completions), _limit(), lambda line: line.text)
    last = lines[-1] if has_more else scan.at if scan.exhausted else None
    headers = {_NEXT: index.cursor(last.id, last.created)} if last else {}
    return Response(200, _MEDIA, b"".join(line.text for line in lines).decode(), headers=headers)


def _limit() -> int | None:
    return None if http.query_of(router, "limit") is None else http.limit_of(router, most=_MOST)


def _line(completion: Completion) -> _Line:
    text = orjson.dumps(completion.pushed())
    if edge.serialized(text) > http.MOST_OF_ITEMS:
        url = links.to_copy(text, content_type=edge.JSON)
        expires = now() + links.LINK_S
        link = LinkedCompletion(id=completion.id, bytes=len(text), url=url, url_expires_at=expires)
        text = orjson.dumps(link.model_dump())
    return _Line(text + b"\n", completion.id, completion.created)
