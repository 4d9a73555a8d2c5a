"""Consumer complaints with the recorded answers of 14 models, as rows of `stillhouse demo --data`.

In: the folder with `dataset.csv` and `prompt.json`. Out: a row per narrative, its first occurrence, in the
file's order; counted from 0, rows of odd number are the test set. Each answer is rebuilt by the prompt's
response template. As a command: `python tests/data/cfpb.py FOLDER > cfpb.jsonl`.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "cfpb_complaints_14llm"

# Column of dataset.csv -> the model as a user names it.
MODELS = {
    "gpt_4o_prediction": "gpt-4o",
    "gpt_4o_mini_prediction": "gpt-4o-mini",
    "gpt-4.5-preview_prediction": "gpt-4.5-preview",
    "gpt-o1_prediction": "o1",
    "gpt-o3-mini_prediction": "o3-mini",
    "claude_3_5_sonnet_prediction": "claude-3-5-sonnet",
    "claude_3_5_haiku_prediction": "claude-3-5-haiku",
    "claude-3-7-sonnet_prediction": "claude-3-7-sonnet",
    "deepseek-chat_prediction": "deepseek-chat",
    "deepseek-reasoner_prediction": "deepseek-reasoner",
    "gemini-1.5-flash_prediction": "gemini-1.5-flash",
    "gemini-1.5-pro_prediction": "gemini-1.5-pro",
    "gemini-2.0-flash_prediction": "gemini-2.0-flash",
    "gemini-2.0-flash-lite_prediction": "gemini-2.0-flash-lite",
}

Row = dict[str, Any]


def records(folder: Path) -> Iterator[dict[str, str]]:
    """The lines of dataset.csv, repeated narratives and all."""
    with (folder / "dataset.csv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def rows(folder: Path) -> Iterator[Row]:
    prompt = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))
    first = {record["narrative"]: record for record in reversed(list(records(folder)))}
    kept = sorted(first.values(), key=lambda record: int(record["id"]))
    for number, record in enumerate(kept):
        yield _row(record, prompt, "test" if number % 2 else "train")


def _row(record: dict[str, str], prompt: dict[str, str], split: str) -> Row:
    def answer(label: str) -> str:
        return prompt["response_template"].replace("<prediction>", label)

    question = prompt["user_template"].replace("{narrative}", record["narrative"])
    return {
        "messages": [
            {"role": "system", "content": prompt["system"]},
            {"role": "user", "content": question},
        ],
        "answers": {model: answer(record[column]) for column, model in MODELS.items()},
        "reference": answer(record["product"]),
        "metadata": {"split": split, "feature": "complaint-routing", "complaint": record["id"]},
    }


if __name__ == "__main__":
    for line in rows(Path(sys.argv[1]) if sys.argv[1:] else FOLDER):
        sys.stdout.write(json.dumps(line) + "\n")
