"""The curation of 10,000, 100,000 and a million completions of 1.5 kB: CPU, growth and memory.

In: `--records`, the largest set; the others are a tenth and a hundredth of it. Out: a table on standard output; exit 1
where CPU grows faster than the records to the power of 1.05, or memory reaches 1 GB. The very workers of the service
read each part, sign its questions, decide and write, one after the other in a process of its own for each size; S3 is a
folder. One completion in ten is doubled, one in ten nearly so, one in twenty contradicted, one in a hundred a test
row's question. Making the completions is not counted.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from assembly import made, parts
from assembly.making import Making
from assembly.report.build import About, report_of
from assembly.time_left import TimeLeft
from assembly.unpaid import Unpaid
from completions import selection
from completions.completion import Completion
from completions.selection import MOST_IN_A_PART, Part
from completions.sources import StoredCompletions
from distillations.recipe import UsedRecipe
from foundation import blobs
from tests.bench.cut import ENVIRONMENT, Context
from tests.bench.lambdas import REPOSITORY
from tests.bench.table import Line, say, show

MOST_EXPONENT = 1.05
MOST_MB = 1000
_KB_A_MB = 1024
_WORDS = [f"word{number}" for number in range(5_000)]
_FORM = "You sort the mail of a bank's customers. Answer in one word what this mail is about: "
_LABELS = 20
_TEST_ROWS = 1_000
_TEST_FROM = 1_000_000_000
_PLANTED = 100


class Made:
    """Completions by their number, and the seconds that making them took."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def numbered(self, numbers: range) -> Iterator[Completion]:
        for number in numbers:
            begun = time.process_time()
            made_up = _completion(number)
            self.seconds += time.process_time() - begun
            yield made_up


def _text(number: int) -> list[str]:
    return random.Random(number).choices(_WORDS, k=200)


def _completion(number: int) -> Completion:
    """One of a hundred kinds, by its number: as it is, or like the one before it."""
    kind, answer = number % _PLANTED, number // 2 % _LABELS
    words = _text(number)
    if 1 <= kind <= 19 and kind % 2:
        words = _text(number - 1)
    elif 21 <= kind <= 39 and kind % 2:
        words = [*_text(number - 1)[:-2], *words[:2]]
    elif 41 <= kind <= 49 and kind % 2:
        words, answer = _text(number - 1), answer + 1
    elif kind == _PLANTED - 1:
        words = _text(_TEST_FROM + number % _TEST_ROWS)
    message = {"role": "assistant", "content": f"label {answer}"}
    response = {
        "id": f"chatcmpl-{number:024}",
        "model": "teacher",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 2, "total_tokens": 302},
    }
    request = {"model": "teacher", "messages": [{"role": "user", "content": _FORM + " ".join(words)}]}
    return Completion.of({"request": request, "response": response, "created": 1_700_000_000 + number}, at=1)


def _test_items() -> Iterator[dict[str, Any]]:
    for number in range(_TEST_ROWS):
        asked = [{"role": "user", "content": _FORM + " ".join(_text(_TEST_FROM + number))}]
        yield {"input": asked, "completion_id": f"test-{number}", "metadata": {}}


@dataclass(frozen=True)
class _Numbered(Making):
    """A set of completions that are made when they are read. A part's offset is the number of its first."""

    made: Made | None = None

    def completions(self, part: Part | None = None) -> Iterator[Completion]:
        if self.made is None or part is None:
            raise ValueError("a large set is read part by part")
        return self.made.numbered(range(part.offset, part.offset + part.length))

    def deleted(self, part: Part) -> set[str]:  # noqa: ARG002 - whichever part it is
        return set()


def _in_folder(folder: Path) -> None:
    """Let a folder be S3."""

    def path(key: str) -> Path:
        return folder / key.replace("/", "+")

    def get(key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        with path(key).open("rb") as file:
            file.seek(offset)
            return file.read(-1 if length is None else length)

    def put_lines(key: str, lines: Iterator[bytes], **_: Any) -> None:
        with path(key).open("wb") as file:
            file.writelines(lines)

    blobs.get = get
    blobs.find = lambda key: get(key) if path(key).exists() else None
    blobs.put = blobs.put_new = lambda key, body, **_: path(key).write_bytes(body)  # type: ignore[assignment]
    blobs.put_lines = put_lines
    blobs.raw_lines = lambda key: path(key).open("rb")  # type: ignore[assignment,return-value]
    blobs.keys = lambda prefix: (  # type: ignore[assignment]
        file.name.replace("+", "/") for file in folder.iterdir() if file.name.startswith(prefix.replace("/", "+"))
    )


def curated(records: int) -> dict[str, Any]:
    """Curate so many records: seconds of CPU by stage, peak MB, and what was dropped."""
    own = Made()
    used = UsedRecipe(source=StoredCompletions(type="stored_completions"))
    making = _Numbered("dataset_1", used, "default", "selection", _test_items, dict, made=own)
    size = min(MOST_IN_A_PART, max(1, records // 2))
    cut = [Part(number, at, min(size, records - at)) for number, at in enumerate(range(0, records, size))]
    selection.parts = lambda _: iter(cut)  # type: ignore[assignment]
    with TemporaryDirectory() as folder:
        _in_folder(Path(folder))
        begun = time.process_time()
        of_parts = parts.Parts(making, cut)
        made.read_and_sign(of_parts, made.known_of(making), TimeLeft(Context()), signed=True)
        parts_done = time.process_time()
        ungraded = Unpaid(making, None)
        with made.curated(making, Context(), ungraded) as settled:
            settled.write_files()
            report_of(settled.figures, *settled.counted(), used, About("dataset_1", 1))
            card = made.card_of(settled, used, ungraded, id="dataset_1", created_at=1)
    ended = time.process_time()
    # Not getrusage, whose peak is also that of the process that started this one.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / _KB_A_MB
    dropped = {rule: count for rule, count in card.dropped.items() if count}
    return {"parts": parts_done - begun - own.seconds, "end": ended - parts_done, "mb": peak, "dropped": dropped}


def _apart(records: int) -> dict[str, Any]:
    """The same in a process of its own."""
    program = [sys.executable, __file__, "--of", str(records)]
    output = subprocess.run(program, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    found: dict[str, Any] = orjson.loads(output.splitlines()[-1])
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=1_000_000)
    arguments.add_argument("--of", type=int, help=argparse.SUPPRESS)
    wanted = arguments.parse_args()
    os.environ.update(ENVIRONMENT)
    if wanted.of:
        say(orjson.dumps(curated(wanted.of)).decode())
        return
    seconds: dict[int, float] = {}
    last: dict[str, Any] = {}
    for records in (wanted.records // 100, wanted.records // 10, wanted.records):
        last = _apart(records)
        seconds[records] = last["parts"] + last["end"]
        say(
            f"{records:>9,} records: {records / seconds[records]:,.0f} a CPU second, {last['parts']:.1f} s for parts, "
            f"{last['end']:.1f} s for the end, {last['mb']:.0f} MB; dropped {last['dropped']}"
        )
    few, many = wanted.records // 10, wanted.records
    exponent = math.log(seconds[many] / seconds[few]) / math.log(many / few)
    lines = [
        Line("growth of CPU, exponent", exponent, 1.0, most_ratio=MOST_EXPONENT),
        Line("peak MB", last["mb"], MOST_MB, most_ratio=1.0),
    ]
    sys.exit(not show(f"{wanted.records:,} records", lines, peer="allowed"))


if __name__ == "__main__":
    main()
