"""What is noted of completions while they are read, and counted once it is known which of them train.

In: completions, each once. Out: tables of counts. What is noted lies in a file of a few hundred bytes a completion; in
memory are the counts, the times, and the words of a sample of 1,000 that does not depend on the order.
"""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import IO, Any, NamedTuple

import orjson

from assembly.journal import Place
from assembly.masking import Mask
from assembly.report.features import DATE, Features, features_of, words_of
from assembly.report.tally import Counts, Group, Table
from assembly.report.topics import Topics, topics_of
from completions.completion import Completion
from completions.corrections import Correction
from foundation.consumer import logger

SAMPLE = 1_000
"""The questions whose words are looked at."""
TOPIC = "topic"
# What reading raises on a completion that is not quite a chat completion.
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Sample:
    """The words of the questions whose ids have the smallest digests."""

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._largest: list[tuple[int, str, Counter[str]]] = []

    def note(self, completion: Completion) -> None:
        self._keep(completion.id, lambda: words_of(completion, self._mask))

    def _keep(self, completion_id: str, words: Callable[[], Counter[str]]) -> None:
        digest = -int.from_bytes(hashlib.blake2b(completion_id.encode(), digest_size=8).digest())
        if len(self._largest) < SAMPLE:
            heapq.heappush(self._largest, (digest, completion_id, words()))
        elif (digest, completion_id) > self._largest[0][:2]:
            heapq.heapreplace(self._largest, (digest, completion_id, words()))

    def words(self) -> dict[str, Counter[str]]:
        """By id, in the order of the digests."""
        return {name: words for _, name, words in sorted(self._largest, key=_of_digest, reverse=True)}

    def take(self, others: Mapping[str, Mapping[str, int]]) -> None:
        """Note what another sample has, too."""
        for completion_id, words in others.items():
            self._keep(completion_id, lambda words=words: Counter(words))  # type: ignore[misc]


def _of_digest(kept: tuple[int, str, Counter[str]]) -> tuple[int, str]:
    return kept[:2]


class Production(NamedTuple):
    """Recent traffic, as what trains is held against it."""

    features: Sequence[Features]
    sample: Sample


class Times(NamedTuple):
    """The times of all that was selected, in order, in seconds since the epoch."""

    ordered: Sequence[int]

    @property
    def half(self) -> int:
        """The time from which on a completion is of the later half; 0 without any."""
        return self.ordered[len(self.ordered) // 2] if self.ordered else 0

    def share_until(self, at: int) -> float:
        """The share of what was selected that is of this time or older."""
        return bisect_right(self.ordered, at) / len(self.ordered)

    def share_from(self, at: int) -> float:
        """The share of what was selected that is of this time or newer."""
        return 1.0 - bisect_left(self.ordered, at) / len(self.ordered)


class Survey:
    """Notes completions as they are read, then counts them by what became of them."""

    def __init__(
        self,
        spool: IO[bytes],
        slice_keys: Sequence[str] = (),
        corrections: Mapping[str, Correction] | None = None,
        mask: Mask | None = None,
    ) -> None:
        self._spool = spool
        self._mask = mask
        self._slice_keys = slice_keys
        self._corrections = corrections or {}
        self._times: list[int] = []
        self.sample = Sample(mask)

    def note(self, completion: Completion) -> None:
        """Note a completion. One that is no sound chat completion is only counted."""
        correction = self._corrections.get(completion.id)
        said = correction.message if correction else None
        features = sound_features(completion, self._slice_keys, said, self._mask)
        self._times.append(completion.created)
        if features is None:
            features = Features(completion.id, completion.created, {}, {})
        else:
            self.sample.note(completion)
        self._spool.write(features.packed())

    def everything(self) -> Production:
        """All that was noted, as the traffic that what trains is held against; it is held in memory."""
        self._spool.seek(0)
        noted = [Features.unpacked(line) for line in self._spool]
        return Production([features for features in noted if features.labels], self.sample)

    def part(self) -> bytes:
        """What was noted, for `take`."""
        self._spool.seek(0)
        return b"".join([orjson.dumps(self.sample.words()), b"\n", self._spool.read()])

    def take(self, part: bytes, *, but: Collection[str] = frozenset()) -> None:
        """Go on with what another survey has noted, of other completions; those with the ids `but` are left out."""
        sample, _, lines = part.partition(b"\n")
        self.sample.take({name: words for name, words in orjson.loads(sample).items() if name not in but})
        for line in lines.splitlines(keepends=True):
            features = Features.unpacked(line)
            if features.id not in but:
                self._times.append(features.created)
                self._spool.write(line)

    def counted(self, place_of: Callable[[str], Place | None], production: Production) -> Counted:
        """Count everything that was noted, and production, by what became of it."""
        ours, theirs = self.sample.words(), production.sample.words()
        topics = topics_of({**ours, **theirs})
        whole, sampled = Table(), Table()
        times = Times(sorted(self._times))
        shared = {features.id for features in production.features}

        def count(features: Features, counts: Counts, sample: Mapping[str, Any], *, both: bool) -> None:
            at = features.created
            whole.add(features.labels, {**features.amounts, DATE: at}, counts, at, shared=both)
            if features.id in sample and features.id in topics.of:
                sampled.add({TOPIC: topics.of[features.id]}, {}, counts, at, shared=features.id in theirs)

        self._spool.seek(0)
        for line in self._spool:
            features = Features.unpacked(line)
            counts = {Group.SELECTED: 1, **_counts(place_of(features.id))}
            counts[Group.LATE if features.created >= times.half else Group.EARLY] = 1
            count(features, counts, ours, both=features.id in shared)
        for features in production.features:
            count(features, {Group.PRODUCTION: 1, Group.EITHER: 1}, theirs, both=False)
        return Counted(whole, sampled, topics, times)


class Counted(NamedTuple):
    """The counts of all rows, and those of the sample whose words were looked at."""

    whole: Table
    sampled: Table
    topics: Topics
    times: Times


def sound_features(
    completion: Completion,
    slice_keys: Sequence[str],
    corrected: dict[str, Any] | None = None,
    mask: Mask | None = None,
) -> Features | None:
    """The features of a completion, with a person's `corrected` answer; None where it is no sound chat completion."""
    if completion.malformed:
        return None
    try:
        return features_of(completion, slice_keys, corrected, mask)
    except _ODD as error:
        logger().warning("odd completion", extra={"completion_id": completion.id, "error": type(error).__name__})
        return None


def production_of(completions: Iterable[Completion], slice_keys: Sequence[str], mask: Mask | None = None) -> Production:
    """Traffic that what trains is held against; it is held in memory, so it is a few thousand completions."""
    features: dict[str, Features] = {}
    sample = Sample(mask)
    for completion in completions:
        sound = sound_features(completion, slice_keys, mask=mask)
        if sound and completion.id not in features:
            features[completion.id] = sound
            sample.note(completion)
    return Production(list(features.values()), sample)


def _counts(place: Place | None) -> dict[Group, int]:
    if place is None:
        return {}
    if place.outcome == "validation":
        return {Group.VALIDATION: 1}
    return {Group.TRAIN_ROWS: 1, Group.TRAIN_LINES: place.copies}
