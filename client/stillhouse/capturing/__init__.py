"""The client wrapper: an `OpenAI` or `AsyncOpenAI` client whose stored completions are Stillhouse's.

In: the client, and where Stillhouse is. Out: the same client. A call with `store=True` goes straight to the provider as
ever, and what was asked and answered is pushed to Stillhouse from a background thread. Nothing that fails on that way
is raised into the application: it is logged once under `stillhouse` and counted in `client.stillhouse.counts`.
"""

from stillhouse.capturing.captures import Captures
from stillhouse.capturing.counts import Counts
from stillhouse.capturing.wrap import capture, captures_of

__all__ = ["Captures", "Counts", "capture", "captures_of"]
