"""Take pushed records `{request, response, metadata?, reference?, …}` of chat completions and of the Responses API.

In: the records of one push. Out: the API's answer, which names the ids of the accepted records and, for each refused
one, its field and the reason. Accepted records lie durably in the recorder's queue when this returns. A record whose id
belongs to other content already is kept under `<id>-<hash8>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from capture import fast
from completions import index
from completions.changes import GONE
from completions.completion import Completion
from completions.handover import hand_over
from foundation.edge import MAX_ANSWER, serialized
from foundation.errors import ApiError, TooLarge
from foundation.ids import new_id, now


class NothingAccepted(ApiError):
    """Every record of a push is refused. The error is that of the first one; `refused` in the body has all of them."""

    def __init__(self, refused: list[dict[str, Any]], *, status: int) -> None:
        empty: dict[str, Any] = {"message": "The array is empty.", "param": "body", "code": None}
        first = refused[0] if refused else empty
        super().__init__(first["message"], code=first["code"], param=first["param"], status=status)
        self.refused = refused

    def body(self) -> dict[str, Any]:
        return {**super().body(), "refused": self.refused}


def ingest(pushed: Sequence[Any]) -> dict[str, Any]:
    """Hand the accepted records to the recorder. Raises NothingAccepted if every record is refused."""
    batch_id = new_id("capture_")
    completions, refusals = _read(pushed)
    hashes = index.known_hashes(list(dict.fromkeys(completion.id for completion in completions.values())))
    for position, completion in list(completions.items()):
        if GONE in hashes[completion.id]:
            refusals[position] = _deleted(completions.pop(position))
    refused = [{"index": position, **refusals[position].body()["error"]} for position in sorted(refusals)]
    if not completions:
        nothing = NothingAccepted(refused, status=refusals[min(refusals)].status if refusals else ApiError.status)
        _refuse_unanswerable(nothing.body())
        raise nothing
    kept = _kept(completions.values(), hashes)
    answer = {
        "object": "capture",
        "batch_id": batch_id,
        "accepted": len(kept.all),
        "ids": [completion.id for completion in kept.all],
        "renamed": kept.renamed,
        "refused": refused,
        "duplicates": len(completions) - len(kept.all),
    }
    _refuse_unanswerable(answer)
    hand_over(batch_id, kept.new)
    return answer


def _refuse_unanswerable(answer: dict[str, Any]) -> None:
    """Raises TooLarge where the answer is larger than Lambda lets through, so that the caller would never read it."""
    # In an answer a letter of JSON takes two at most: a short one need not be written out again.
    if len(body := orjson.dumps(answer)) > MAX_ANSWER // 2 and serialized(body) > MAX_ANSWER:
        raise TooLarge(
            "The answer, which names the id of each record or why it is refused, would have more than 6 MB. Nothing "
            "was taken: send the records in parts.",
            code="answer_too_large",
            param="body",
        )


def _read(pushed: Sequence[Any]) -> tuple[dict[int, Completion], dict[int, ApiError]]:
    """The completions and the refusals of a push by their positions, in order."""
    completions: dict[int, Completion] = {}
    odd_records: dict[int, Any] = {}
    at = now()
    for position, record in enumerate(pushed):
        chat = fast.plain_chat(record)
        if chat is None:
            odd_records[position] = record
        else:
            completions[position] = Completion.of(chat, at=at)
    if not odd_records:
        return completions, {}
    # It imports pydantic, which would be a third of the cold start of a push of plain chats.
    from capture import odd

    completions, refusals = odd.read(odd_records, completions)
    return dict(sorted(completions.items())), refusals


def _deleted(completion: Completion) -> ApiError:
    return ApiError(
        f"The completion '{completion.id}' was deleted and stays deleted.", code="deleted", param="response.id"
    )


class _Kept(NamedTuple):
    """The accepted completions of a push, those of them that are not recorded yet, and those with a changed id."""

    all: list[Completion]
    new: list[Completion]
    renamed: list[dict[str, str]]


def _kept(completions: Iterable[Completion], recorded: Mapping[str, set[str]]) -> _Kept:
    """Each completion once, and under an id that no other content has.

    `recorded` has the content hashes that the index knows of each id. A completion with another hash than the id's
    first one, in the index or earlier in this push, is kept under `<id>-<hash8>`.
    """
    kept = _Kept([], [], [])
    seen: set[tuple[str, str]] = set()
    first_hashes: dict[str, str] = {}
    for completion in completions:
        digest = completion.content_hash
        if (completion.id, digest) in seen:
            continue
        seen.add((completion.id, digest))
        if digest in recorded[completion.id]:
            kept.all.append(completion)
            continue
        if recorded[completion.id] or first_hashes.setdefault(completion.id, digest) != digest:
            completion = completion.under(f"{completion.id}-{digest[:8]}")  # noqa: PLW2901 - the same one, renamed
            kept.renamed.append({"id": completion.id, "origin_id": completion.origin_id or ""})
        kept.all.append(completion)
        kept.new.append(completion)
    return kept
