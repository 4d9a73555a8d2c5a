"""Decide what each row of a demo is used for, before anything is started.

In: the options. Out: a `Plan`: the teacher, rows to capture, rows to school the teacher on, rows with recordings.
Fails with `BadRows` if the rows have no answers for the models that the options name.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.samples import mail
from local.samples.rows import BadRows, Row, check_answers, halve, read_rows, split_rows

# The lab's own models carry this prefix; any other model answers from recordings alone.
LAB_OWN = "lab-"
# Taught on the bundled mail when the local stack starts.
TEACHER = "lab-large"
TRAIN = 1_200
TEST = 500


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of the command line."""

    data: Path | None = None
    teacher: str = TEACHER
    student: str = "lab-small"
    trainer: str = "default"
    test_fraction: float = 0.3
    json_out: Path | None = None
    approve: bool = True
    seed: int = 42
    keep: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows of a demo, each with its part."""

    task: str
    about: str
    """The task in few words, after which what the demo makes is called."""
    teacher: str
    train: list[Row]
    test: list[Row]
    schooling: list[Row]
    recorded: list[Row]


def make_plan(options: Options) -> Plan:
    if options.data is None:
        task, about = "support mail, generated", "Support mail"
        rows = mail.production(options.seed, TRAIN, TEST)
    else:
        task, about = str(options.data), options.data.stem[:60]
        rows = split_rows(read_rows(options.data), fraction=options.test_fraction, seed=options.seed)
    train = [row for row in rows if row.split == "train"]
    test = [row for row in rows if row.split == "test"]
    teacher, schooling = options.teacher, list[Row]()
    if not check_answers(rows, teacher):
        _must_be_the_labs(teacher)
        if options.data or teacher != TEACHER:
            schooling, train = _schooled(train, options.seed)
            teacher = _name(teacher, schooling)
    if not check_answers(test, options.student):
        _must_be_the_labs(options.student)
    recorded = [row for row in rows if row.answers]
    return Plan(task=task, about=about, teacher=teacher, train=train, test=test, schooling=schooling, recorded=recorded)


def _name(teacher: str, schooling: Sequence[Row]) -> str:
    """The teacher's name; a teacher schooled on other rows gets its own, since `lab-large` knows the bundled mail."""
    if teacher != TEACHER:
        return teacher
    digest = hashlib.sha256("\n".join(row.model_dump_json() for row in schooling).encode())
    return f"{teacher}-{digest.hexdigest()[:8]}"


def _must_be_the_labs(model: str) -> None:
    if not model.startswith(LAB_OWN):
        raise BadRows(f"answers.{model}: no row has a recorded answer, and the lab has no model of that name")


def _schooled(train: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    schooling, rest = halve(train, seed)
    if not schooling or not rest:
        raise BadRows("too few train rows to school the teacher on one half and capture the other")
    return schooling, rest
