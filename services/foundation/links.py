"""Links to objects of the bucket: whoever has one may read the object for a quarter of an hour, without a key.

`to_copy` is for an answer that is larger than Lambda lets through. Its bytes lie under `answers/<hour>/<hash>`, so that
asking twice keeps them once, and the sweep deletes them when no link to them is open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import takewhile

from foundation import aws, blobs
from foundation.ids import now
from foundation.settings import settings

LINK_S = 900
"""How long a link is open, in seconds."""
_COPIES = "answers/"
_SECONDS_AN_HOUR = 3600


def to_object(key: str) -> str:
    """A link to the object at this key."""
    where = {"Bucket": settings().BUCKET, "Key": key}
    return aws.s3().generate_presigned_url("get_object", Params=where, ExpiresIn=LINK_S)


def to_copy(body: bytes, *, content_type: str) -> str:
    """A link to a copy of these bytes."""
    return to_object(copied(body, content_type=content_type))


def copied(body: bytes, *, content_type: str) -> str:
    """The key of a copy of these bytes, which can be read for as long as a link to it would be open."""
    key = f"{_COPIES}{now() // _SECONDS_AN_HOUR}/{hashlib.sha256(body).hexdigest()}"
    blobs.put(key, body, content_type=content_type)
    return key


def discard_copies(goes_on: Callable[[], bool]) -> int:
    """Delete the copies of which no link is open, as long as it `goes_on`; how many there were."""
    open_from = (now() - LINK_S) // _SECONDS_AN_HOUR
    # S3 lists them by their hours.
    ended = list(takewhile(lambda key: goes_on() and _hour(key) < open_from, blobs.keys(_COPIES)))
    blobs.delete(ended)
    return len(ended)


def _hour(key: str) -> int:
    return int(key.removeprefix(_COPIES).partition("/")[0])
