"""Whether curation pays: a student of the curated set against the student of the set as it was captured.

In: `--intents`, `--seeds`, `--splits` and `--only`, and the data in `../shared/data`. Out: a table a data set: the
accuracy on held-out rows of the student of the raw set, and by how many points each rule alone, the default recipe, and
that with steps that need people or a judge move it, with 95% intervals. No figure is a target: it says what pays.

Into the training rows of banking77 and clinc150 is planted, by the seed: a fifth of the answers is wrong, a fifth of
the rows stands twice and a tenth nearly so, a tenth of the questions is asked twice more (and the answer is as often
wrong), and half of the intents keep a fifth of their rows. The judge is wrong in one of ten cases; people have looked
at a tenth of the rows and corrected what was wrong. The complaints have the real answers of gpt-4o, in random halves.
The student is the lab's small one.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import orjson

from assembly.curate import Curator
from assembly.curation.rule import Known
from completions.completion import Completion
from distillations.recipe import Balance, Contradictions, Duplicates, NearDuplicates, Recipe, default_steps
from distillations.text_steps import Doubtful
from graders.string_check import StringCheck
from local.lab.student import Example, train
from tests.assembly.curating import completion, correction
from tests.assembly.grading import Given
from tests.bench.table import say

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
_PASSES = 15
_DRAWS = 2_000
_WRONG = 0.2
_JUDGE_ERRS = 0.1
_BANKING, _CLINC = 77, 150
_LEAST_OF_A_SLICE = 60
_JUDGE = StringCheck(type="string_check", name="judge", input="a", reference="a", operation="eq")

type Labelled = tuple[str, str]


@dataclass
class Captured:
    """Completions as they were captured, with the right answer of each by its id."""

    completions: list[Completion] = field(default_factory=list)
    right: dict[str, str] = field(default_factory=dict)

    def add(self, text: str, answer: str, right: str) -> None:
        made = completion(len(self.completions), text, answer)
        self.completions.append(made)
        self.right[made.id] = right

    def is_right(self, made: Completion) -> bool:
        return bool(made.choice["message"]["content"] == self.right[made.id])


def planted(rows: Sequence[Labelled], seed: int) -> Captured:
    """The rows as a careless application would have captured them."""
    dice = random.Random(seed)
    labels = sorted({label for _, label in rows})
    rare = set(dice.sample(labels, len(labels) // 2))
    captured = Captured()

    def add(text: str, label: str) -> None:
        wrong = dice.random() < _WRONG
        captured.add(text, dice.choice([other for other in labels if other != label]) if wrong else label, label)

    for text, label in rows:
        if label in rare and dice.random() >= 1 / 5:
            continue
        add(text, label)
        if dice.random() < 1 / 5:
            last = captured.completions[-1]
            captured.add(text, last.choice["message"]["content"], label)
        if dice.random() < 1 / 10:
            add(f"{text} thanks", label)
        if dice.random() < 1 / 10:
            add(text, label)
            add(text, label)
    return captured


def steps_of_each() -> dict[str, list[Any]]:
    """The recipes that are compared, by what they are called."""
    balance = Balance(by="answer", at_least=_LEAST_OF_A_SLICE)
    quality = {"rule": "quality", "criteria": [_JUDGE.model_dump()]}
    return {
        "contradictions alone": [Contradictions()],
        "duplicates alone": [Duplicates()],
        "near_duplicates alone": [NearDuplicates()],
        "doubtful alone": [Doubtful()],
        "balance alone": [balance],
        "quality alone": [quality],
        "corrections alone": [],
        "default recipe": default_steps(),
        "default, no doubtful": [step for step in default_steps() if step.rule != "doubtful"],
        "default, balance": [*default_steps(), balance],
        "default, quality": [quality, *[step for step in default_steps() if step.rule == "contradictions"]],
    }


def examples_of(captured: Captured, steps: list[Any], seed: int, *, people: bool = False) -> list[Example]:
    """What trains by these steps."""
    recipe = Recipe(steps=steps, validation_share=0, seed=seed)
    dice = random.Random(seed)
    corrections = {}
    grades = {}
    for made in captured.completions:
        errs, looked_at = dice.random() < _JUDGE_ERRS, dice.random() < 1 / 10
        passed = captured.is_right(made) != errs
        grades[made.id] = {"passed": passed, "score": float(passed)}
        if people and looked_at and not captured.is_right(made):
            number = int(made.id.removeprefix("chatcmpl-"))
            corrections[made.id] = correction(number, role="assistant", content=captured.right[made.id])
    with TemporaryFile() as spool:
        curator = Curator(recipe, Known(corrections=corrections), spool, (), Given(grades))
        curator.read(captured.completions)
        curator.decide()
        return [_example(curator.line(row)) for row, place in curator.examples for _ in range(place.copies)]


def _example(line: bytes) -> Example:
    *asked, answered = orjson.loads(line)["messages"]
    return Example(asked[-1]["content"], answered["content"])


def hits(examples: list[Example], test: Sequence[Labelled], seed: int) -> np.ndarray[Any, Any]:
    """Which test rows the student of these examples answers rightly."""
    answers = train(examples, seed=seed, passes=_PASSES).answers([text for text, _ in test])
    return np.array([answer == label for answer, (_, label) in zip(answers, test, strict=True)], dtype=float)


def interval(differences: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """The mean in points, and its 95% interval by bootstrap over seeds and rows."""
    draws = np.random.default_rng(42)
    seeds, rows = differences.shape
    means = [
        differences[draws.integers(seeds, size=seeds)][:, draws.integers(rows, size=rows)].mean() for _ in range(_DRAWS)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(100 * differences.mean()), float(100 * low), float(100 * high)


def compare(name: str, captures: Sequence[Callable[[], tuple[Captured, Sequence[Labelled]]]], only: str = "") -> None:
    """Print what each recipe moves whose name has `only` in it.

    Each capture is a seed's, with the rows that its students are tested on.
    """
    if not captures:
        return
    moved: dict[str, list[np.ndarray[Any, Any]]] = defaultdict(list)
    sizes: dict[str, int] = {}
    raw_hits = []
    least = sys.maxsize
    for seed, capture in enumerate(captures):
        captured, test = capture()
        raw = examples_of(captured, [], seed)
        sizes["raw"] = len(raw)
        raw_hits.append(hits(raw, test, seed))
        least = min(least, len(test))
        for called, steps in ((called, steps) for called, steps in steps_of_each().items() if only in called):
            chosen = examples_of(captured, steps, seed, people=called.startswith("corrections"))
            sizes[called] = len(chosen)
            moved[called].append(hits(chosen, test, seed) - raw_hits[-1])
    whole = np.mean([hit.mean() for hit in raw_hits])
    say(f"{name}: the student of the raw set is right in {100 * whole:.1f}% ({sizes['raw']} examples)")
    for called, differences in moved.items():
        mean, low, high = interval(np.stack([one[:least] for one in differences]))
        say(f"  {called:<24}{sizes[called]:>7} examples {mean:>+7.1f} points ({low:+.1f} to {high:+.1f})")
    say()


def banking(intents: int) -> tuple[list[Labelled], list[Labelled]]:
    def read(split: str) -> list[Labelled]:
        with (DATA / f"banking77/{split}.csv").open(encoding="utf-8", newline="") as lines:
            return [(row["text"], row["category"]) for row in csv.DictReader(lines)]

    return _of_some(read("train"), read("test"), intents)


def clinc(intents: int) -> tuple[list[Labelled], list[Labelled]]:
    document = json.loads((DATA / "clinc150/data_full.json").read_text(encoding="utf-8"))
    return _of_some([tuple(row) for row in document["train"]], [tuple(row) for row in document["test"]], intents)


def _of_some(rows: list[Labelled], test: list[Labelled], intents: int) -> tuple[list[Labelled], list[Labelled]]:
    """The rows of some intents, and the test rows of these that are no training rows."""
    chosen = set(random.Random(0).sample(sorted({label for _, label in rows}), intents))
    asked = {text for text, _ in rows}
    return (
        [row for row in rows if row[1] in chosen],
        [row for row in test if row[1] in chosen and row[0] not in asked],
    )


def complaints(seed: int) -> tuple[Captured, list[Labelled]]:
    """Half of the complaints with the answers of gpt-4o, repeated narratives and all, and the other half."""
    with (DATA / "cfpb_complaints_14llm/dataset.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    texts = sorted({row["narrative"] for row in rows})
    trains = set(random.Random(seed).sample(texts, len(texts) // 2))
    captured = Captured()
    for row in rows:
        if row["narrative"] in trains:
            captured.add(row["narrative"], row["gpt_4o_prediction"], row["product"])
    test = {row["narrative"]: row["product"] for row in rows if row["narrative"] not in trains}
    return captured, list(test.items())


def _seeded(rows: list[Labelled], test: list[Labelled], seeds: int) -> Iterator[Callable[[], Any]]:
    for seed in range(seeds):
        yield lambda seed=seed: (planted(rows, seed), test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intents", type=int, default=20, help="of banking77 and of clinc150")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--splits", type=int, default=5, help="of the complaints")
    parser.add_argument("--only", default="", help="the recipes with this in their name")
    asked = parser.parse_args()
    if not DATA.is_dir():
        say("The data is not here: ../shared/data")
        return
    of_banking, of_clinc = min(asked.intents, _BANKING), min(asked.intents, _CLINC)
    compare(f"banking77, {of_banking} intents", list(_seeded(*banking(of_banking), asked.seeds)), asked.only)
    compare(f"clinc150, {of_clinc} intents", list(_seeded(*clinc(of_clinc), asked.seeds)), asked.only)
    compare("complaints", [lambda seed=seed: complaints(seed) for seed in range(asked.splits)], asked.only)


if __name__ == "__main__":
    main()
