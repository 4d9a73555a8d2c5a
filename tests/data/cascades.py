"""How a cascade's promise does on recorded answers: half of the rows choose the threshold, the others are held to it.

In: rows of the two real data sets, each with how sure the cheap model was and how much worse than the dear one. Out:
what came of a number of seeded splits. As a command it prints a line for each source: `python -m tests.data.cascades`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from providers import prices
from stats import ComparedRow, safe_threshold
from tests.data import cfpb

ZEROEVAL = cfpb.FOLDER.parent / "zeroeval_gpt4o_vs_mini"
SPLITS = 100
_TEACHER = "gpt-4.5-preview_prediction"
_CHEAP = "gpt_4o_mini_prediction"
_OTHERS = ("gemini-2.0-flash-lite_prediction", "claude_3_5_haiku_prediction", "gemini-2.0-flash_prediction")
_MINI, _LARGE = "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"
_SMALL = ("claude-3-haiku-20240307", "gemma-2-2b-it")
_LAST_ANSWER = re.compile(r'"answer"\s*:\s*"?([^"\n}]*)')
_SNAPSHOT = re.compile(r"-\d{4}-\d\d-\d\d$")
_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


class Source(NamedTuple):
    """Compared rows, and what a thousand calls of either model cost in US dollars, by the price list.

    A token is taken for four letters. What says how sure an answer is costs more, where other models say it.
    """

    rows: list[ComparedRow]
    cheap_usd: float
    dear_usd: float


class Measured(NamedTuple):
    """What came of all splits."""

    rows: int
    held: int
    """Splits whose second half lost at most the margin."""
    share: float
    """The share of the second half that the cheap model kept, in the mean."""
    loss: float
    """How much more often than the dear model alone the cascade failed there, in the mean."""
    vacuous: int
    """Splits in which nothing could be promised."""
    usd_per_1000: float
    """What a thousand calls cost: all ask the cheap model, and those that are not kept the dear one, too."""


def measure(source: Source, *, margin: float, splits: int = SPLITS) -> Measured:
    """Choose on a half and look at the other, `splits` times."""
    ends = [_split(source.rows, margin, seed) for seed in range(splits)]
    share = sum(share for share, _, _ in ends) / splits
    return Measured(
        rows=len(source.rows),
        held=sum(loss <= margin for _, loss, _ in ends),
        share=share,
        loss=sum(loss for _, loss, _ in ends) / splits,
        vacuous=sum(nothing for _, _, nothing in ends),
        usd_per_1000=source.cheap_usd + (1.0 - share) * source.dear_usd,
    )


def _split(rows: Sequence[ComparedRow], margin: float, seed: int) -> tuple[float, float, bool]:
    shuffled = [*rows]
    random.Random(seed).shuffle(shuffled)
    half = len(shuffled) // 2
    found, test = safe_threshold(shuffled[:half], margin=margin), shuffled[half:]
    least = found.threshold if found else inf
    kept = [row.loss for row in test if row.confidence is not None and row.confidence >= least]
    return len(kept) / len(test), sum(kept) / len(test), found is None


def cfpb_student() -> Source:
    """A student trained on gpt-4.5's labels of a third of the complaints, on the others; its own probability."""
    records = _complaints()
    random.Random(0).shuffle(records)
    learnt, asked = records[: len(records) // 3], records[len(records) // 3 :]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    student = LogisticRegression(C=10.0, max_iter=500).fit(
        words.fit_transform([record["narrative"] for record in learnt]), [record[_TEACHER] for record in learnt]
    )
    chances = student.predict_proba(words.transform([record["narrative"] for record in asked]))
    answers = student.classes_[chances.argmax(axis=1)]
    rows = [
        ComparedRow(float(chance), _loss(answer == record["product"], record[_TEACHER] == record["product"]))
        for record, answer, chance in zip(asked, answers, chances.max(axis=1), strict=True)
    ]
    return Source(rows, *_complaint_costs("ft:gpt-4o-mini"))


def cfpb_agreement() -> Source:
    """gpt-4o-mini against gpt-4.5; how many of three other small models say the same."""
    rows = [
        ComparedRow(
            float(sum(record[other] == record[_CHEAP] for other in _OTHERS)),
            _loss(record[_CHEAP] == record["product"], record[_TEACHER] == record["product"]),
        )
        for record in _complaints()
    ]
    return Source(rows, *_complaint_costs("gpt-4o-mini"))


def zeroeval_agreement() -> Source:
    """gpt-4o-mini against gpt-4o on GSM8K; how many of two other small models say the same, then how short it is."""
    lines = (ZEROEVAL / "gsm.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    prompt = len(json.loads((ZEROEVAL / "prompts.json").read_text(encoding="utf-8"))["gsm"])
    cheap, dear = (
        _usd_per_1000(model, ((prompt, len(record["outputs"][model])) for record in records))
        for model in (_MINI, _LARGE)
    )
    return Source([_zeroeval_row(record) for record in records], cheap, dear)


def _complaints() -> list[dict[str, str]]:
    first = {record["narrative"]: record for record in reversed(list(cfpb.records(cfpb.FOLDER)))}
    return [*first.values()]


def _complaint_costs(cheap: str) -> tuple[float, float]:
    """Of the cheap model and of the teacher."""
    sizes = [(len(record["narrative"]), len(record[_TEACHER])) for record in _complaints()]
    return _usd_per_1000(cheap, sizes), _usd_per_1000(_TEACHER.removesuffix("_prediction"), sizes)


def _usd_per_1000(model: str, letters: Iterable[tuple[int, int]]) -> float:
    """What a thousand such calls cost, given the letters of questions and answers."""
    listed = json.loads(Path(prices.__file__).with_name("prices.json").read_text(encoding="utf-8"))["models"]
    price = listed[_SNAPSHOT.sub("", model)]
    costs = [(asked * float(price["input"]) + answered * float(price["output"])) / 4e6 for asked, answered in letters]
    return 1_000 * sum(costs) / len(costs)


def _zeroeval_row(record: dict[str, Any]) -> ComparedRow:
    said = {model: _number(output) for model, output in record["outputs"].items()}
    right = _number(f'"answer": "{record["answer"]}"')
    agreeing = sum(said[model] == said[_MINI] for model in _SMALL)
    length = len(record["outputs"][_MINI])
    return ComparedRow(agreeing - length / 1e6, _loss(said[_MINI] == right, said[_LARGE] == right))


def _number(output: str) -> float | None:
    fields = _LAST_ANSWER.findall(output)
    numbers = _NUMBER.findall(fields[-1]) if fields else []
    return float(numbers[-1].replace(",", "")) if numbers else None


def _loss(cheap_is_right: bool, dear_is_right: bool) -> float:
    return float(dear_is_right) - float(cheap_is_right)


SOURCES: dict[str, Callable[[], Source]] = {
    "cfpb: a student's own probability": cfpb_student,
    "cfpb: agreement of small models": cfpb_agreement,
    "zeroeval: agreement of small models": zeroeval_agreement,
}


if __name__ == "__main__":
    for name, source_of in SOURCES.items():
        source = source_of()
        print(f"{name}: ${source.cheap_usd:.3f} and ${source.dear_usd:.3f} for 1,000 calls of either model")  # noqa: T201
        for promised in (0.02, 0.03, 0.05):
            print(f"  margin {promised}: {measure(source, margin=promised)}")  # noqa: T201
