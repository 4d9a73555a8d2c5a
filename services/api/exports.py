"""Exports: the completions of a filter as NDJSON, in the shape in which they are pushed.

A page ends at 4 MB, or where one call has looked far enough; then the header `x-stillhouse-after` has the `after` of
the next one, else the export is whole. What comes out of one Stillhouse goes unchanged into another.
"""

from __future__ import annotations

from typing import Any

import orjson
from aws_lambda_powertools.event_handler import Response

from api import filters
from completions import index
from completions.completion import Completion
from foundation import http
from foundation.routes import Query, Routes

router = Routes("Exports")
_NEXT = "x-stillhouse-after"


@router.get(
    "/v1/exports/completions",
    scope="read",
    media="application/x-ndjson",
    query=(*filters.CONDITIONS, Query("after", "The value of the header `x-stillhouse-after` of the page before.")),
    errors=filters.UNKNOWN_FILTER,
    headers={_NEXT: "The `after` of the next page. Absent where the export is whole."},
)
def export_completions() -> Response[Any]:
    """Export the completions of a filter as NDJSON.

    Each line has the shape in which completions are pushed, so that it can be pushed to another Stillhouse. A page has
    at most 4 MB.
    """
    after_id = http.query_of(router, "after")
    after = index.find(after_id, deleted=True) if after_id else None
    scan = index.Scan()
    body = bytearray()
    last: Completion | None = None
    following = ""
    known = after_id is None or after is not None
    for completion in index.completions(filters.wanted(router), after=after, scan=scan) if known else ():
        line = orjson.dumps(completion.pushed()) + b"\n"
        if body and len(body) + len(line) > http.MAX_BODY:
            following = index.cursor(last) if last else ""
            break
        body += line
        last = completion
    else:
        following = index.cursor(scan.at) if scan.exhausted and scan.at else ""
    headers = {_NEXT: following} if following else {}
    return Response(200, "application/x-ndjson", body.decode(), headers=headers)
