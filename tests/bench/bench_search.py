"""Text search over 100,000 completions of 3 kB: the seconds of a page that finds nothing, beside reading the bodies.

In: `--records`. Out: a table on standard output; exit 1 where the target is missed. The API's real handler runs on an
AWS in process (moto), whose own time is in the figure; the peer decompresses the same objects and looks for the same
bytes, which nothing that searches bodies can do without.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import orjson
from backports import zstd
from moto import mock_aws

from api import handler
from foundation import blobs
from tests.bench.cut import ENVIRONMENT, KEY, Context
from tests.bench.records import BYTES
from tests.bench.stored import fill
from tests.bench.table import Line, say, show
from tests.flow.system import deploy

TARGET_S = 20.0
_NEEDLE = "nowhere to be found"


def search(after: str | None) -> dict[str, object]:
    query = {"text": _NEEDLE, "order": "desc", **({"after": after} if after else {})}
    event = {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": "/v1/chat/completions",
        "rawQueryString": "",
        "queryStringParameters": query,
        "headers": {"authorization": f"Bearer {KEY}"},
        "requestContext": {"http": {"method": "GET", "path": "/v1/chat/completions"}, "stage": "$default"},
        "isBase64Encoded": False,
    }
    answer = handler.http_entry(event, Context())
    if answer["statusCode"] != 200:
        raise SystemExit(answer["body"])
    page: dict[str, object] = orjson.loads(answer["body"])
    return page


def floor() -> float:
    """Seconds to decompress every body and look for the bytes."""
    started = time.perf_counter()
    for key in blobs.keys("completions/"):
        if _NEEDLE.encode() in zstd.decompress(blobs.get(key)).lower():
            raise SystemExit("the text is there")
    return time.perf_counter() - started


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=100_000)
    count = arguments.parse_args().records
    os.environ.update(ENVIRONMENT)
    with mock_aws():
        deploy(os.environ.__setitem__, provider_url="http://127.0.0.1:9/v1")
        fill(count)
        started = time.perf_counter()
        page = search(None)
        took = time.perf_counter() - started
        least = floor()
    whole = "the whole" if not page["has_more"] else f"up to {page['last_id']}"
    say(f"a search that finds nothing in {count:,} completions of {BYTES / 1000:g} kB, {whole} in one call")
    sys.exit(not show("seconds", [Line("a page", took, peer=least, most=TARGET_S)], peer="decompress and look"))


if __name__ == "__main__":
    main()
