"""The corpus of odd but legal shapes, `tests/data/shapes/`: one JSON file a case, each with its own name.

In: nothing. Out: the cases by their names, checked. A file with a field or a door that nobody knows, or under another
door's name, fails the test that reads it: no case is passed over. `-@` in an id stands for the case's own mark, so that
a case can be stored several times.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

FOLDER = Path("tests/data/shapes")

type Door = Literal[
    "answer",
    "stream",
    "response",
    "response stream",
    "sample",
    "training line",
    "import bedrock",
    "import jsonl",
    "import langfuse",
    "import tensorzero",
]
CALLS = ("answer", "stream", "response", "response stream", "sample", "training line")
"""The doors of what a provider answers to a call: whole or as a stream, or a message of such an answer."""

_PREFIXES = {"training line": "train", "response stream": "response-stream"}


class Case(BaseModel):
    """One odd shape, and what must become of it."""

    model_config = ConfigDict(extra="forbid")

    why: str
    """What is odd about it."""
    door: Door
    given: Any
    """What goes in: JSON, or `{"$json": text}` where the spelling matters; for a stream its chunks."""
    request: dict[str, Any] = {}
    """Fields of the request that the answer belongs to."""
    expected: Any = None
    """What is stored, seen by graders, or written for the trainer."""
    left_out: str | None = None
    """Why it is not stored."""
    problem: str | None = None
    """How the problem begins for which it is in no training file."""
    push_refuses: str | None = None
    """The field that a push of it as it came names."""
    import_says: str | None = None
    """Why `stillhouse import jsonl` leaves out a record with it, or what of it."""
    notes: list[str] = []
    """What an importer notes."""
    options: dict[str, Any] = {}
    """Options of the importer."""

    @model_validator(mode="after")
    def _says_one_end(self) -> Self:
        if [self.expected, self.left_out, self.problem].count(None) != 2:
            raise ValueError("one of expected, left_out and problem is wanted")
        return self

    def text(self, mark: str) -> str:
        """What goes in as text, with the mark in its ids."""
        is_spelt = isinstance(self.given, dict) and self.given.keys() == {"$json"}
        return marked(self.given["$json"] if is_spelt else json.dumps(self.given), mark)

    def end(self, mark: str) -> Any:
        """What is expected, with the mark in its ids."""
        return json.loads(marked(json.dumps(self.expected), mark))


def marked(text: str, mark: str) -> str:
    return text.replace("-@", f"-{mark}")


@cache
def _every() -> dict[str, Case]:
    cases = {path.stem: Case.model_validate_json(path.read_bytes()) for path in sorted(FOLDER.iterdir())}
    for name, case in cases.items():
        assert name.startswith(_PREFIXES.get(case.door, case.door).replace(" ", "-") + "-"), (name, case.door)
    return cases


def cases(*doors: Door) -> dict[str, Case]:
    """The cases of these doors by their names."""
    chosen = {name: case for name, case in _every().items() if case.door in doors}
    assert {case.door for case in chosen.values()} == set(doors), "a door has no case"
    return chosen
