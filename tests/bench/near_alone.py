"""Near-duplicates alone: the rule's own code beside libraries of others, on the same texts.

In: how many texts. Out: of ours and of each peer that is installed texts a CPU second, recall and precision. Each cuts
the texts into pieces, makes signatures, and finds pairs. Peers run in `.venv-near` (`peers_near.py`).
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, NamedTuple

import orjson

from assembly.curation import near_duplicates
from assembly.curation.rule import Together
from assembly.questions import Questions
from assembly.row import Row
from distillations.recipe import NearDuplicates
from tests.bench.lambdas import REPOSITORY
from tests.bench.near import SIMILARITY, judged, planted, texts

_PEERS = ("datasketch", "rensa")
_ANSWER = {"role": "assistant", "content": "label"}


class Found(NamedTuple):
    texts_a_second: float
    recall: float
    precision: float


def found_by_all(total: int) -> dict[str, Found]:
    of_all = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "texts"
        path.write_text("".join(f"{text}\n" for text in texts(total)), encoding="utf-8")
        for name in ("stillhouse", *_PEERS):
            found = _found_by(name, path)
            if found is not None:
                pairs = [(one, other) for one, other in found["pairs"]]
                of_all[name] = Found(total / found["seconds"], *judged(pairs, planted(total)))
    return of_all


def _found_by(name: str, path: Path) -> dict[str, Any] | None:
    """The seconds that one took, and its pairs; None where it is not there."""
    if name == "stillhouse":
        return _found(path)
    program = REPOSITORY / ".venv-near/bin/python"
    if not program.exists():
        return None
    command = [program, REPOSITORY / "tests/bench/peers_near.py", name, path]
    found: dict[str, Any] = orjson.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def _found(path: Path) -> dict[str, Any]:
    """What the rule finds among the questions of rows with one answer."""
    begun = time.process_time()
    rows = []
    with TemporaryFile() as spool, path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines):
            line = orjson.dumps({"messages": [{"role": "user", "content": text}, _ANSWER]})
            rows.append(Row(str(number), number, str(number), "", "", {}, 0, 0, spool.tell(), len(line)))
            spool.write(line)
        together = Together(42, Questions(spool, rows))
        pairs = [
            (int(verdict.row.id), int(verdict.finding.others[0]))
            for verdict in near_duplicates.decide(rows, NearDuplicates(similarity=SIMILARITY), together)
            if verdict.finding
        ]
    return {"seconds": time.process_time() - begun, "pairs": pairs}
