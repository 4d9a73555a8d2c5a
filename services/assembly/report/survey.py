"""What is noted of completions while they are read, and counted once it is known which of them train.

In: completions, each once. Out: tables of counts. What is noted lies in a file of a few hundred bytes a completion; in
memory are the counts, the times, and the words of a sample of 1,000 that does not depend on the order.
"""

from __future__ import annotations

import hashlib
import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple, Self

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

    def packed(self) -> bytes:
        """The sample, for `take`."""
        return orjson.dumps(self.words())

    def take(self, packed: bytes, *, but: Collection[str] = frozenset()) -> None:
        """Note what another sample has, too; those with the ids `but` are left out."""
        for completion_id, words in orjson.loads(packed).items():
            if completion_id not in but:
                self._keep(completion_id, lambda words=words: Counter(words))  # type: ignore[misc]


def _of_digest(kept: tuple[int, str, Counter[str]]) -> tuple[int, str]:
    return kept[:2]


class Production(NamedTuple):
    """Recent traffic, as what trains is held against it."""

    features: Sequence[Features]
    sample: Sample


class Times(NamedTuple):
    """The times of all that was selected, in order, in seconds since the epoch."""

    ordered: Sequence[int] | array[int]

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
        self.times = array("q")
        """When what was noted was created, in seconds since the epoch."""
        self.sample = Sample(mask)

    def note(self, completion: Completion) -> None:
        """Note a completion. One that is no sound chat completion is only counted."""
        correction = self._corrections.get(completion.id)
        said = correction.message if correction else None
        features = sound_features(completion, self._slice_keys, said, self._mask)
        self.times.append(completion.created)
        if features is None:
            features = Features(completion.id, completion.created, {}, {})
        else:
            self.sample.note(completion)
        self._spool.write(features.packed())

    def everything(self) -> Production:
        """All that was noted, as the traffic that what trains is held against; it is held in memory."""
        self._spool.seek(0)
        return production_in(self._spool, self.sample)

    def part(self) -> bytes:
        """What was noted, for `take`."""
        self._spool.seek(0)
        return b"".join([self.sample.packed(), b"\n", self._spool.read()])

    def lines(self) -> Iterator[tuple[int, str, bytes]]:
        """What was noted of each completion, with its time and id."""
        self._spool.seek(0)
        for line in self._spool:
            features = Features.unpacked(line)
            yield features.created, features.id, line

    def take(self, part: bytes, *, but: Collection[str] = frozenset()) -> None:
        """Go on with what another survey has noted, of other completions; those with the ids `but` are left out."""
        sample, _, lines = part.partition(b"\n")
        self.sample.take(sample, but=but)
        for line in lines.splitlines(keepends=True):
            features = Features.unpacked(line)
            if features.id not in but:
                self.times.append(features.created)
                self._spool.write(line)

    def counted(self, place_of: Callable[[str], Place | None], production: Production) -> Counted:
        """Count everything that was noted, and production, by what became of it."""
        overview = Overview.of(sorted(self.times), self.sample, production)
        counted = Counted(Table(), Table(), overview)
        self._spool.seek(0)
        counted.add_noted(self._spool, place_of)
        counted.add_production(production)
        return counted


class Overview(NamedTuple):
    """What is known of everything that was noted, and of production, when a range of it is counted."""

    times: Times
    topics: Topics
    ours: Collection[str]
    """The completions, by id, whose words were looked at."""
    theirs: Collection[str]
    """Those of production."""
    shared: Collection[str]
    """All of production."""

    @classmethod
    def of(cls, times: Sequence[int] | array[int], sample: Sample, production: Production) -> Self:
        """`times` are those of all that was noted, in order; `sample` is of all of it."""
        ours, theirs = sample.words(), production.sample.words()
        shared = {features.id for features in production.features}
        return cls(Times(times), topics_of({**ours, **theirs}), set(ours), set(theirs), shared)


class Counted(NamedTuple):
    """The counts of all rows, and those of the sample whose words were looked at."""

    whole: Table
    sampled: Table
    overview: Overview

    @property
    def topics(self) -> Topics:
        return self.overview.topics

    @property
    def times(self) -> Times:
        return self.overview.times

    def add_noted(self, lines: Iterable[bytes], place_of: Callable[[str], Place | None]) -> None:
        """Count what was noted, a line of features each, by its place; None is that of one that was dropped."""
        overview, half = self.overview, self.times.half
        for line in lines:
            features = Features.unpacked(line)
            counts = {Group.SELECTED: 1, **_counts(place_of(features.id))}
            counts[Group.LATE if features.created >= half else Group.EARLY] = 1
            self._add(features, counts, overview.ours, both=features.id in overview.shared)

    def add_production(self, production: Production) -> None:
        for features in production.features:
            self._add(features, {Group.PRODUCTION: 1, Group.EITHER: 1}, self.overview.theirs, both=False)

    def _add(self, features: Features, counts: Counts, sample: Collection[str], *, both: bool) -> None:
        at, topics, overview = features.created, self.topics.of, self.overview
        self.whole.add(features.labels, {**features.amounts, DATE: at}, counts, at, shared=both)
        if features.id in sample and features.id in topics:
            self.sampled.add({TOPIC: topics[features.id]}, {}, counts, at, shared=features.id in overview.theirs)


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


def production_in(noted: Iterable[bytes], sample: Sample) -> Production:
    """Traffic of lines of features; those of unsound completions are left out."""
    every = map(Features.unpacked, noted)
    return Production([features for features in every if features.labels], sample)


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
