"""The part of the ingest that is written by hand because it must be fast.

Every pushed body passes through here, and most records through nothing else. There are two functions:

- `plain_chat(record)` recognises a record that plainly is an answered chat completion. Without it pydantic
  (`capture.shapes`) would validate every record. Its import takes a third of a cold start, and its validation of a
  record as long as orjson takes to read it.
- `is_lossless(text, records)` says whether orjson read everything that a text says. Without it the standard
  library's `json`, which is several times slower, would have to read every body once more.

Both say yes only where the slow way comes to the same result. Where they say no, the slow way decides.
`tests/capture/fast/test_chat.py` holds `plain_chat` equal to pydantic and `test_lossless.py` holds `is_lossless`
equal to `json`, both with hypothesis. `tests/bench/bench_ingest.py` measures the CPU of a record beside `orjson.loads`
and zstd of the same bytes, `bench_cold_start.py` a cold start beside that of bare boto3 clients.
"""

from capture.fast.chat import plain_chat
from capture.fast.lossless import is_lossless

__all__ = ["is_lossless", "plain_chat"]
