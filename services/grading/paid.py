"""Answers that an eval has paid for, so that any chunk of any of its runs finds them.

In: the digest of a request. Out: the answer, or None if the eval has not made the request or the run that made it was
deleted. A row `CALL#<scope>#<2 digits>, <digest>` names the object under `runs/` that holds the answer; it expires
after 30 days. The scope is the eval's id; the run's own id if the run wants fresh answers; or the eval's id with the
turn where several runs ask the same anew, each time once for all that come later. Rows are read and written many at a
time: requests that come within 5 ms are looked up together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Self

import orjson
from backports import zstd

from evals.run import Run
from foundation import blobs, table
from foundation.ids import now
from providers import Answer

_A_MOMENT_S = 0.005
_KEPT_S = 30 * 86_400


class Paid:
    """The paid answers of one scope."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._answers: dict[str, Answer] = {}
        self._read: set[str] = set()
        self._wanted: dict[str, asyncio.Future[Answer | None]] = {}

    @classmethod
    def of(cls, run: Run) -> Self:
        """The paid answers that a run may use: its eval's, or only its own or its turn's if it wants fresh ones."""
        if not getattr(run.data_source, "fresh", None):
            return cls(run.eval_id)
        return cls(run.id if run.turn is None else f"{run.eval_id}#{run.turn}")

    async def find(self, digest: str) -> Answer | None:
        """The paid answer to the request with this digest, or None."""
        if digest in self._answers:
            return self._answers[digest]
        if not self._wanted:
            asyncio.get_running_loop().call_later(_A_MOMENT_S, self._look_up)
        wanted = self._wanted.setdefault(digest, asyncio.get_running_loop().create_future())
        return await wanted

    def publish(self, digests_by_key: dict[str, list[str]]) -> None:
        """Note for each stored object, by its key, the digests of the requests whose answers it holds."""
        expires = now() + _KEPT_S
        table.write_all(
            {**self._place(digest), "key": key, "expires": expires}
            for key, digests in digests_by_key.items()
            for digest in digests
        )

    def _look_up(self) -> None:
        wanted, self._wanted = self._wanted, {}
        try:
            places = {(place["pk"], place["sk"]) for place in map(self._place, wanted)}
            for key in {row["key"] for row in table.get_all(places).values()} - self._read:
                self._answers |= dict(answers(blobs.find(key)))
                self._read.add(key)
        except BaseException as error:  # noqa: BLE001 - every call that waits for the look-up raises it
            for future in wanted.values():
                future.set_exception(error)
            return
        for digest, future in wanted.items():
            future.set_result(self._answers.get(digest))

    def _place(self, digest: str) -> table.Row:
        return {"pk": f"CALL#{self._scope}#{digest[:2]}", "sk": digest}


def packed(calls: Iterable[tuple[str, Answer]]) -> bytes:
    """The body of an object that holds these answers, each with its request's digest."""
    lines = (orjson.dumps({"request": digest, **answer._asdict()}) for digest, answer in calls)
    return zstd.compress(b"\n".join(lines))


def answers(body: bytes | None) -> Iterator[tuple[str, Answer]]:
    """The inverse of `packed`; no answers for None, the body of an object that is gone."""
    for line in zstd.decompress(body).splitlines() if body else ():
        call = orjson.loads(line)
        yield call.pop("request"), Answer(**call)
