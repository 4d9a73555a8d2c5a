"""`capture(client)`: capture the calls of an OpenAI client, in place.

In: an `OpenAI` or `AsyncOpenAI` client (or one of a subclass, such as Azure's), and the URL and key of Stillhouse, as
arguments or as STILLHOUSE_BASE_URL and STILLHOUSE_API_KEY. Out: the same client. A missing or impossible option raises
ValueError here; later calls raise nothing on account of the capture.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from openai import AsyncOpenAI, OpenAI

from stillhouse.capturing.aliases import Aliases
from stillhouse.capturing.backlog import Backlog, DiskBacklog, MemoryBacklog
from stillhouse.capturing.captures import Captures
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.delivery import Delivery
from stillhouse.capturing.endpoint import Endpoint
from stillhouse.capturing.methods import install
from stillhouse.capturing.recorder import MOST_PAIRS, Policy, Recorder
from stillhouse.capturing.records import Packer
from stillhouse.capturing.ways import Ways

Client = TypeVar("Client", OpenAI, AsyncOpenAI)
LONGEST_NAME = 64
LONGEST_VALUE = 512
_SPOOL_LIMIT = 256 * 1024 * 1024


def capture(  # noqa: UP047 - users may run Python 3.11
    client: Client,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    metadata: Mapping[str, str] | None = None,
    sample: float = 1.0,
    redact: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
    spool: str | os.PathLike[str] | Literal[False] | None = None,
    spool_limit: int = _SPOOL_LIMIT,
    store: bool = False,
    forward_store: bool = False,
    stream_usage: bool | None = None,
    aliases: Mapping[str, str] | None = None,
    alias_ttl: float = 30.0,
    clients: Mapping[str, Client] | None = None,
) -> Client:
    """Capture the client's stored chat completions and responses; calls go straight to its provider as before.

    `client.stillhouse` then has `flush()`, `aflush()`, `close()`, `counts`; for type checkers, `captures_of(client)`.
    `client.chat.completions.list`, `retrieve`, `update`, `delete` and `messages` are answered by Stillhouse.
    `client.responses` stays the provider's; a response whose `previous_response_id` was not captured is refused.

    Args:
        client: It is changed in place and returned; its copies (`with_options`) are captured too.
        base_url: Of Stillhouse's API, up to `/v1`.
        api_key: With the scope `capture`, and `read` and `write` for the calls about stored completions.
        metadata: Tags for every captured call; a call's own win.
        sample: The share of the stored calls that is captured, from 0 to 1.
        redact: Gets each record (`request`, `response`, `latency_ms`, `provider`) in the background and returns it,
            changed or not, or None to discard it. If it raises, the record is not sent.
        spool: A folder for what cannot be delivered; by default under the user's state folder, with False none.
        spool_limit: Bytes on disk; over it the oldest records are dropped.
        store: What a call means that does not say `store`. True captures every call.
        forward_store: Pass `store` and `metadata` of a chat completion on to the provider as well. Otherwise both are
            taken out of a call that says `store`, as most providers refuse them; only `store=False` still goes to
            OpenAI, which may store by default. Responses always keep both.
        stream_usage: Ask the provider for the token counts of captured streams, and keep the extra chunk back. By
            default only where the provider is OpenAI.
        aliases: The names that calls may give as `model` and that Stillhouse points at models, each with the model that
            this client is asked for while Stillhouse has not been reached yet. The key needs the scope `infer`.
        alias_ttl: Seconds within which a change of an alias is followed.
        clients: Clients for targets elsewhere, by their providers' names in Stillhouse. Other targets that are not at
            this client's provider are asked through Stillhouse's gateway.
    """
    if not isinstance(client, OpenAI | AsyncOpenAI):
        raise TypeError(f"capture() takes an OpenAI or AsyncOpenAI client, not {type(client).__name__}")
    policy = Policy(_tags(metadata or {}), sample, store, forward_store, stream_usage)
    if not 0 <= sample <= 1:
        raise ValueError(f"sample is {sample}, but it is a share from 0 to 1")
    defaults, others = _aliases(aliases or {}, alias_ttl), _clients(client, clients or {})
    endpoint = _endpoint(base_url, api_key)
    tally = Tally()
    delivery = Delivery(endpoint, Packer(redact, tally), _backlog(spool, spool_limit, endpoint, tally), tally)
    ways = Ways(Aliases(endpoint, defaults, alias_ttl, tally), endpoint, others)
    install(client, Recorder(policy, endpoint, delivery, tally, ways))
    delivery.deliver_leftovers()
    return client


def captures_of(client: OpenAI | AsyncOpenAI) -> Captures:
    """`client.stillhouse`, for type checkers, to which `capture` returns a plain client."""
    captures = vars(client).get("stillhouse")
    if not isinstance(captures, Captures):
        raise TypeError("this client is not captured: wrap it with stillhouse.capture(client)")
    return captures


def _endpoint(base_url: str | None, api_key: str | None) -> Endpoint:
    base_url = base_url or os.environ.get("STILLHOUSE_BASE_URL")
    api_key = api_key or os.environ.get("STILLHOUSE_API_KEY")
    missing = [
        f"{argument} (or {variable})"
        for argument, variable, value in (
            ("base_url", "STILLHOUSE_BASE_URL", base_url),
            ("api_key", "STILLHOUSE_API_KEY", api_key),
        )
        if not value
    ]
    if not base_url or not api_key:
        raise ValueError(f"capture() does not know its Stillhouse: give {' and '.join(missing)}")
    if not base_url.startswith(("https://", "http://")):
        raise ValueError(f"base_url must be a URL such as https://…/v1, not {base_url!r}")
    return Endpoint(base_url.rstrip("/"), api_key)


def _aliases(aliases: Mapping[str, str], ttl: float) -> dict[str, str]:
    if not ttl > 0:
        raise ValueError(f"alias_ttl is {ttl}, but it is a number of seconds above 0")
    if isinstance(aliases, str) or not isinstance(aliases, Mapping):
        raise ValueError("aliases is a mapping of names to the models that stand in for them")  # noqa: TRY004 - as below
    for name, model in aliases.items():
        if not isinstance(name, str) or not isinstance(model, str) or not name or not model:
            raise ValueError(f"aliases is text to text: {name!r}")
    return dict(aliases)


def _clients(client: Client, clients: Mapping[str, Client]) -> dict[str, Client]:  # noqa: UP047 - users may run 3.11
    kind = AsyncOpenAI if isinstance(client, AsyncOpenAI) else OpenAI
    for name, other in clients.items():
        if not isinstance(other, kind):
            raise ValueError(f"the client for {name!r} is no {kind.__name__}, as this one is")  # noqa: TRY004 - as above
    return dict(clients)


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    if len(metadata) > MOST_PAIRS:
        raise ValueError(f"metadata has {len(metadata)} pairs, at most {MOST_PAIRS} are taken")
    for name, value in metadata.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"metadata is text to text: {name!r}")  # noqa: TRY004 - one kind for a wrong configuration
        if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
            raise ValueError(f"metadata {name!r} is too long: {LONGEST_NAME} and {LONGEST_VALUE} characters are taken")
    return dict(metadata)


def _backlog(
    spool: str | os.PathLike[str] | Literal[False] | None, limit: int, endpoint: Endpoint, tally: Tally
) -> Backlog:
    in_memory = MemoryBacklog(min(limit, 32 * 1024 * 1024), tally)
    if spool is False:
        return in_memory
    try:
        folder = Path(spool) if spool is not None else state_folder() / "spool"
        # One folder per Stillhouse: what was captured for one must not be delivered to another.
        return DiskBacklog(folder / hashlib.sha256(endpoint.base_url.encode()).hexdigest()[:16], limit, tally)
    except (OSError, RuntimeError) as error:
        tally.warn_once("spool", "no spool on disk (%s): captured completions wait in memory", error)
        return in_memory


def state_folder() -> Path:
    """Where this user's undelivered captures and unfinished imports lie."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "stillhouse"
