"""Take pushed completions: `{request, response, metadata?, reference?, …}`, of a chat or of the Responses API.

In: the records of one push. Out: what was accepted (durable in the queue when this returns) and what was refused,
record by record, with the field and the reason. A record whose id is taken by other bytes is kept under `<id>-<hash8>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from capture import records
from completions import index
from completions.changes import GONE
from completions.completion import Completion
from completions.handover import hand_over
from foundation.errors import ApiError
from foundation.ids import new_id, now


class NothingAccepted(ApiError):
    """Every record of a push is refused; the first reason stands for the whole, the rest beside it."""

    def __init__(self, refused: list[dict[str, Any]], *, status: int) -> None:
        empty: dict[str, Any] = {"message": "The array is empty.", "param": "body", "code": None}
        first = refused[0] if refused else empty
        super().__init__(first["message"], code=first["code"], param=first["param"], status=status)
        self.refused = refused

    def body(self) -> dict[str, Any]:
        return {**super().body(), "refused": self.refused}


def ingest(pushed: Sequence[Any]) -> dict[str, Any]:
    """Accept what is sound and hand it to the recorder. Raises NothingAccepted if nothing is."""
    batch_id = new_id("capture_")
    sound, refusals = _read(pushed)
    hashes = index.known_hashes(list(dict.fromkeys(one.id for one in sound.values())))
    for position in [position for position, one in sound.items() if GONE in hashes[one.id]]:
        refusals[position] = _deleted(sound.pop(position))
    refused = [{"index": position, **refusals[position].body()["error"]} for position in sorted(refusals)]
    if not sound:
        raise NothingAccepted(refused, status=refusals[min(refusals)].status if refusals else ApiError.status)
    kept = _kept(sound.values(), hashes)
    hand_over(batch_id, kept.new)
    return {
        "object": "capture",
        "batch_id": batch_id,
        "accepted": len(kept.all),
        "ids": [completion.id for completion in kept.all],
        "renamed": kept.renamed,
        "refused": refused,
    }


def _read(pushed: Sequence[Any]) -> tuple[dict[int, Completion], dict[int, ApiError]]:
    """The completions and the refusals of a push by their positions."""
    sound: dict[int, Completion] = {}
    odd: dict[int, Any] = {}
    at = now()
    for position, record in enumerate(pushed):
        chat = records.plain_chat(record)
        if chat is None:
            odd[position] = record
        else:
            sound[position] = Completion.of(chat, at=at)
    if not odd:
        return sound, {}
    refusals = _read_odd(odd, sound)
    return dict(sorted(sound.items())), refusals


def _read_odd(odd: dict[int, Any], sound: dict[int, Completion]) -> dict[int, ApiError]:
    """Add what is sound, each response after the one before it; the refusals of the others."""
    from capture.chains import Chains

    refusals: dict[int, ApiError] = {}
    chains = Chains(odd)
    for position in chains.order():
        try:
            sound[position] = completion_of(odd[position], chains.items_before(position, sound))
        except ApiError as refusal:
            refusals[position] = refusal
    return refusals


def completion_of(record: Any, before: Sequence[Any] | None = None) -> Completion:
    """The completion in one pushed record. Raises ApiError naming the field.

    `before` has the items of the response before it, and of all before that, where it names one.
    """
    if isinstance(record, ApiError):
        raise record
    if not isinstance(record, dict):
        raise ApiError("A record must be a JSON object with request and response.", code="invalid_type")
    # A push of plain chats, and so a cold start, does without.
    from capture import shapes

    return Completion.of(shapes.as_chat(record, before), at=now())


def _deleted(completion: Completion) -> ApiError:
    return ApiError(
        f"The completion '{completion.id}' was deleted and stays deleted.", code="deleted", param="response.id"
    )


class _Kept(NamedTuple):
    """The completions of a push, those of them that are not recorded yet, and those that have another id now."""

    all: list[Completion]
    new: list[Completion]
    renamed: list[dict[str, str]]


def _kept(completions: Iterable[Completion], recorded: dict[str, set[str]]) -> _Kept:
    """Each once, under an id of its own: other bytes under a known id get a name that tells them apart."""
    kept = _Kept([], [], [])
    seen: set[tuple[str, str]] = set()
    owners: dict[str, str] = {}
    for completion in completions:
        digest = completion.content_hash
        if (completion.id, digest) in seen:
            continue
        seen.add((completion.id, digest))
        if digest in recorded[completion.id]:
            kept.all.append(completion)
            continue
        if recorded[completion.id] or owners.setdefault(completion.id, digest) != digest:
            completion = completion.under(f"{completion.id}-{digest[:8]}")  # noqa: PLW2901 - the same one, renamed
            kept.renamed.append({"id": completion.id, "origin_id": completion.origin_id or ""})
        kept.all.append(completion)
        kept.new.append(completion)
    return kept
