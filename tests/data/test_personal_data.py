"""What of the personal data in real texts is found, by kind: the figures that the documentation states.

The texts are synthetic e-mails of a set for the extraction of first names. What else stands in them was marked by hand
(`personal_data.json`), by kind and text; of names the set itself tells the first ones.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assembly.personal_data import spans_of

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "cleanlab_o1_graded"
BY_HAND = json.loads((Path(__file__).parent / "personal_data.json").read_text(encoding="utf-8"))
DOCS = Path(__file__).resolve().parents[2] / "docs/explanation/training-sets.md"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="needs ../shared/data/cleanlab_o1_graded"),
]


def texts() -> list[tuple[str, str]]:
    """Each text with the first name in it, or "Not present"."""
    with (FOLDER / "pii_98_dataset.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [(row["prompt"].split("Text:\n", 1)[1].rsplit("\nAnswer", 1)[0], row["ground_truth"]) for row in rows]


def figures() -> dict[str, tuple[int, int, int, int]]:
    """By kind: what is marked, what of it was found, what was found in all, and what of that is right."""
    marked: Counter[str] = Counter()
    recalled: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for number, (text, name) in enumerate(texts()):
        said = [(span.kind, text[span.start : span.end]) for span in spans_of(text)]
        by_hand = [(kind, wanted) for kind, wanted in BY_HAND["marked"].get(str(number), [])]
        names = [] if name.casefold() == "not present" else [name]
        marked.update([kind for kind, _ in by_hand] + ["PERSON"] * len(names))
        recalled.update(kind for kind, wanted in by_hand if (kind, wanted) in said)
        recalled["PERSON"] += any(one in covered for one in names for _, covered in said)
        found.update(kind for kind, _ in said)
        right.update(one[0] for one in said if one in by_hand)
        called = [*names, *BY_HAND["other_names"]]
        right["PERSON"] += sum(kind == "PERSON" and any(one in covered for one in called) for kind, covered in said)
    return {kind: (marked[kind], recalled[kind], found[kind], right[kind]) for kind in sorted(marked | found)}


def test_recall_and_precision_are_those_that_the_documentation_states(record_property: Any) -> None:
    measured = figures()
    lines = [
        f"| `{kind}` | {marked} | {recalled / marked:.2f} | {right / found:.2f} |"
        for kind, (marked, recalled, found, right) in measured.items()
    ]
    record_property("figures", "\n".join(lines))
    stated = DOCS.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line not in stated] == []
