"""The curation of 10,000, 100,000 and a million completions of 1.5 kB by the default recipe: CPU, growth and memory.

In: `--records`, the largest set; the others are a tenth and a hundredth of it. Out: a line for each as it ends, and
tables; exit 1 where CPU grows faster than the records to the power of 1.05, memory reaches 1 GB, or near-duplicates are
missed or made up. The very workers of the service read each part, sign its questions, decide and write, one after the
other in a process of its own for each size; S3 is a folder. One completion in ten is doubled, one in ten nearly so, one
in twenty contradicted, one in a hundred a test row's question. Making the completions is not counted.

Near-duplicates alone are looked for in `--texts` texts (`near.py`) beside datasketch and rensa, which run in
`.venv-near`; each cuts the texts into pieces itself. It is the rule's own code, signatures and all.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched
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
from tests.bench.apart import apart
from tests.bench.cut import ENVIRONMENT, Context
from tests.bench.near import Pair, changed, judged, words_of
from tests.bench.near_alone import found_by_all
from tests.bench.table import Line, say, show

MOST_EXPONENT = 1.05
MOST_MB = 1000
LEAST_RECALL, LEAST_PRECISION, LEAST_OF_DATASKETCH = 0.95, 0.99, 3.0
_KB_A_MB = 1024
_FORM = "You sort the mail of a bank's customers. Answer in one word what this mail is about: "
_LABELS = 20
_TEST_ROWS = 1_000
_TEST_FROM = 1_000_000_000
_PLANTED = 100
_MADE_AT_ONCE = 100


class Made:
    """Completions by their number, and the seconds that making them took."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def numbered(self, numbers: range) -> Iterator[Completion]:
        for some in batched(numbers, _MADE_AT_ONCE, strict=False):
            begun = time.process_time()
            made_up = [_completion(number) for number in some]
            self.seconds += time.process_time() - begun
            yield from made_up


def _completion(number: int) -> Completion:
    """One of a hundred kinds, by its number: as it is, or like the one before it."""
    kind, answer = number % _PLANTED, number // 2 % _LABELS
    words = words_of(number)
    if 1 <= kind <= 19 and kind % 2:
        words = words_of(number - 1)
    elif _is_near(number):
        words = changed(number - 1)
    elif 41 <= kind <= 49 and kind % 2:
        words, answer = words_of(number - 1), answer + 1
    elif kind == _PLANTED - 1:
        words = words_of(_TEST_FROM + number % _TEST_ROWS)
    message = {"role": "assistant", "content": f"label {answer}"}
    response = {
        "id": f"chatcmpl-{number:024}",
        "model": "teacher",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 2, "total_tokens": 302},
    }
    request = {"model": "teacher", "messages": [{"role": "user", "content": _FORM + " ".join(words)}]}
    return Completion.of({"request": request, "response": response, "created": 1_700_000_000 + number}, at=1)


def _is_near(number: int) -> bool:
    """Whether a completion is nearly the one before it."""
    kind = number % _PLANTED
    return 21 <= kind <= 39 and kind % 2 == 1


def _test_items() -> Iterator[dict[str, Any]]:
    for number in range(_TEST_ROWS):
        asked = [{"role": "user", "content": _FORM + " ".join(words_of(_TEST_FROM + number))}]
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
        near = {(number - 1, number) for number in range(records) if _is_near(number)}
        recall, precision = judged(_dropped_near(Path(folder)), near)
    dropped = {rule: count for rule, count in card.dropped.items() if count}
    seconds = {"parts": parts_done - begun - own.seconds, "end": ended - parts_done}
    return {**seconds, "mb": peak, "dropped": dropped, "recall": recall, "precision": precision}


def _dropped_near(folder: Path) -> Iterator[Pair]:
    """Each completion that was dropped as a near-duplicate, with the one that stays for it."""
    (rows,) = folder.glob("*+rows.jsonl")
    with rows.open("rb") as lines:
        for line in lines:
            for evidence in orjson.loads(line)["evidence"] if b"near_duplicates" in line else ():
                if evidence["rule"] == "near_duplicates":
                    yield _number(line), _number(evidence["others"][0].encode())


def _number(named: bytes) -> int:
    """The number of the completion whose id comes first."""
    start = named.index(b"chatcmpl-") + len(b"chatcmpl-")
    return int(named[start : start + 24])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=1_000_000)
    arguments.add_argument("--texts", type=int, default=20_000, help="those among which near ones are looked for alone")
    wanted = arguments.parse_args()
    os.environ.update(ENVIRONMENT)
    seconds: dict[int, float] = {}
    last: dict[str, Any] = {}
    for records in (wanted.records // 100, wanted.records // 10, wanted.records):
        last = apart(curated, records)
        seconds[records] = last["parts"] + last["end"]
        say(
            f"{records:>9,} records: {records / seconds[records]:,.0f} a CPU second, {last['parts']:.1f} s for parts, "
            f"{last['end']:.1f} s for the end, {last['mb']:.0f} MB; near-duplicates {last['recall']:.3f} found, "
            f"{last['precision']:.3f} right; dropped {last['dropped']}"
        )
    few, many = wanted.records // 10, wanted.records
    exponent = math.log(seconds[many] / seconds[few]) / math.log(many / few)
    lines = [
        Line("growth of CPU, exponent", exponent, 1.0, most_ratio=MOST_EXPONENT),
        Line("peak MB", last["mb"], MOST_MB, most_ratio=1.0),
        Line("near-duplicates, recall", last["recall"], LEAST_RECALL, least_ratio=1.0),
        Line("near-duplicates, precision", last["precision"], LEAST_PRECISION, least_ratio=1.0),
    ]
    kept = show(f"{wanted.records:,} records", lines, peer="bound")
    sys.exit(not (show_near(wanted.texts) and kept))


def show_near(total: int) -> bool:
    """Print what is found among so many texts, and how quickly; True if no target is missed."""
    of_all = found_by_all(total)
    ours, datasketch = of_all["stillhouse"], of_all.get("datasketch")
    lines = [
        Line("recall", ours.recall, LEAST_RECALL, least_ratio=1.0),
        Line("precision", ours.precision, LEAST_PRECISION, least_ratio=1.0),
        *(
            Line(f"{name}: recall {one.recall:.3f}, precision {one.precision:.3f}; a second", one.texts_a_second)
            for name, one in of_all.items()
        ),
    ]
    if datasketch:
        least = LEAST_OF_DATASKETCH
        lines.append(Line("texts a second", ours.texts_a_second, datasketch.texts_a_second, least_ratio=least))
    say("a peer that is missing is not installed")
    return show(f"near-duplicates alone, {total:,} texts", lines, peer="bound, datasketch")


if __name__ == "__main__":
    main()
