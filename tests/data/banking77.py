"""Questions of a bank's customers in 77 intents, as rows of `stillhouse demo --data`.

In: the folder with `train.csv`, `test.csv` and `categories.json`. Out: a row per question, train first, in
the files' order, repeats and leaks included; nobody's answers are recorded. As a command:
`python tests/data/banking77.py FOLDER > banking77.jsonl`.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "banking77"

Row = dict[str, Any]


def rows(folder: Path) -> Iterator[Row]:
    """The questions; the prompt names all intents."""
    categories = json.loads((folder / "categories.json").read_text(encoding="utf-8"))
    prompt = (
        "You route the questions of a bank's customers. Answer with the one intent that fits best and "
        f"nothing else. The intents are: {json.dumps(categories)}"
    )
    for split in ("train", "test"):
        with (folder / f"{split}.csv").open(encoding="utf-8", newline="") as lines:
            for record in csv.DictReader(lines):
                yield {
                    "messages": [
                        {"role": "system", "content": prompt},
                        {"role": "user", "content": record["text"]},
                    ],
                    "reference": record["category"],
                    "metadata": {"split": split, "feature": "banking-intents"},
                }


if __name__ == "__main__":
    for line in rows(Path(sys.argv[1]) if sys.argv[1:] else FOLDER):
        sys.stdout.write(json.dumps(line) + "\n")
