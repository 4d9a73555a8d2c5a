"""The stages of steps that look at a share of the rows at a time: those with one question, or those of one shard.

In: the names of what the stage before has left. Out: the names of what this one leaves. The steps are the rules
themselves, which see a share as if it were all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile

import orjson

from assembly.curation.language import languages_of
from assembly.stages.plan import Stage
from assembly.stages.spool import spooled
from assembly.stages.work import Output, ShareOf, Work
from distillations.text_steps import Language
from foundation import blobs


def by_question(work: Work, stage: Stage, names: Sequence[str], share_of: ShareOf) -> list[str]:
    """Take steps that compare the rows of one question. They read no lines."""
    languages = _languages(work, stage, names) if isinstance(stage.steps[0], Language) else None

    def task(number: int) -> bytes:
        output = Output(work, share_of)
        with TemporaryFile() as nothing:
            output.take(work.settled(work.rows(names, number), stage.steps, nothing, languages))
        return output.packed()

    return work.each(stage.name("settled"), task)


def by_shard(work: Work, stage: Stage, names: Sequence[str], share_of: ShareOf) -> list[str]:
    """Take steps that hold each row by itself against the test rows."""

    def task(number: int) -> bytes:
        output = Output(work, share_of)
        rows = list(work.rows(names, number))
        with spooled(work, rows, signed=True) as spool:
            output.take(work.settled(rows, stage.steps, spool))
        return output.packed()

    return work.each(stage.name("settled"), task)


def _languages(work: Work, stage: Stage, names: Sequence[str]) -> Mapping[tuple[str, str], int]:
    """How many of all rows have which languages."""

    def counted() -> bytes:
        total = Counter[tuple[str, str]]()
        for number in range(work.total):
            total.update(languages_of(work.rows(names, number)))
        return orjson.dumps([[*pair, count] for pair, count in sorted(total.items())])

    work.once(stage.name("languages"), counted)
    noted = orjson.loads(blobs.get(work.key(stage.name("languages"))))
    return {(question, answer): count for question, answer, count in noted}
