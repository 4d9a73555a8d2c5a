"""The pairs of a rollout one by one: what a user got, beside what the other model answered to the same request.

In: a rollout. Out: its pairs, the newest round first, lazily: of a page only the rounds that it shows are read. Those
of a round are there once it is tallied, until its runs or its completions are erased.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from evals.counts import graded_chunks
from evals.outcomes import cut_short
from evals.output_item import OutputItem
from evals.output_items import read_output_items
from foundation.document import Document
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, RoundRun, Side
from rollouts.taken import round_with

type _Items = dict[str, dict[str, Any]]
"""Output items by completion id."""


class PairAnswer(Document):
    """What one of the two models answered, with its grades and their reasons."""

    model: str
    run_id: str
    passed: bool | None
    """Whether every criterion passed and the answer is whole; null where it could not be graded."""
    item: OutputItem


class RolloutPair(Document):
    """A request that both models answered."""

    id: str
    """The captured completion's."""
    object: Literal["rollout.pair"] = "rollout.pair"
    rollout_id: str
    round_id: str
    at: int
    """When its round was begun, in seconds since the epoch."""
    window: int
    """The number of the window that it is judged in, from 1."""
    stage: int
    """The number of the stage, from 0."""
    user_got: Side
    """Whose answer the user got; the other model was asked afterwards."""
    lost: bool
    """Whether the candidate failed where the stable model passed."""
    stable: PairAnswer
    candidate: PairAnswer


def pairs_behind(rollout: Rollout, *, after: str | None, lost: bool) -> Iterator[RolloutPair]:
    """The pairs behind the one with this completion, or all. Nothing where it is none of the rollout's.

    With `lost` only those that the candidate lost.
    """
    last = None if after is None else round_with(rollout.id, after)
    if after is not None and last is None:
        return
    for round_ in RolloutRound.newest_first(rollout.id, upto=last):
        if round_.tally is None or (lost and not round_.tally.quality.worse):
            continue
        behind = after if after is not None and round_.id == last else ""
        yield from (pair for pair in _pairs(rollout, round_) if pair.id > behind and (pair.lost or not lost))


def _pairs(rollout: Rollout, round_: RolloutRound) -> Iterator[RolloutPair]:
    """The pairs of a round, in the order of their ids."""
    found: list[RolloutPair] = []
    for got in (part for part in round_.runs if not part.sampled):
        asked = next((part for part in round_.runs if part.sampled and part.side != got.side), None)
        if asked:
            own, other = _items(got.run_id), _items(asked.run_id)
            both = own.keys() & other.keys()
            found += [_pair(rollout, round_, (got, own[name]), (asked, other[name])) for name in both]
    return iter(sorted(found, key=lambda pair: pair.id))


def _items(run_id: str) -> _Items:
    chunks = [chunk.chunk for chunk in graded_chunks(run_id)]
    items = read_output_items(run_id, chunks, lambda item: item)
    return {str(item["datasource_item"].get("completion_id")): item for item in items}


def _pair(
    rollout: Rollout, round_: RolloutRound, got: tuple[RoundRun, dict[str, Any]], asked: tuple[RoundRun, dict[str, Any]]
) -> RolloutPair:
    answers = {part.side: _answer(rollout, part, item) for part, item in (got, asked)}
    return RolloutPair(
        id=got[1]["datasource_item"]["completion_id"],
        rollout_id=rollout.id,
        round_id=round_.id,
        at=round_.begun_at,
        window=round_.window,
        stage=round_.stage,
        user_got=got[0].side,
        lost=answers["candidate"].passed is False and answers["stable"].passed is True,
        stable=answers["stable"],
        candidate=answers["candidate"],
    )


def _answer(rollout: Rollout, part: RoundRun, item: dict[str, Any]) -> PairAnswer:
    passed = item["status"] == "pass" and not cut_short(item["sample"]["finish_reason"])
    return PairAnswer(
        model=rollout.candidate if part.side == "candidate" else rollout.stable,
        run_id=part.run_id,
        passed=None if item["errored"] else passed,
        item=OutputItem.model_validate(item),
    )
