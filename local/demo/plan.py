"""What a demo will do with which rows, decided before anything is started.

In: the options. Out: a `Plan`: rows to capture, rows to school the teacher on, rows with recordings.
Fails with `BadRows` where the rows cannot serve the models asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.demo import mail
from local.demo.rows import BadRows, Row, check_answers, halve, read_rows, split_rows

# The lab's own models carry this prefix; any other model answers from recordings alone.
LAB_OWN = "lab-"
SCHOOLING = 3_000
TRAIN = 1_200
TEST = 500


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    data: Path | None = None
    teacher: str = "lab-large"
    student: str = "lab-small"
    test_fraction: float = 0.3
    json_out: Path | None = None
    approve: bool = True
    seed: int = 42
    keep: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows of a demo, each with its part."""

    task: str
    train: list[Row]
    test: list[Row]
    schooling: list[Row]
    recorded: list[Row]


def make_plan(options: Options) -> Plan:
    if options.data is None:
        task = "support mail, generated"
        rows = mail.production(options.seed, TRAIN, TEST)
        schooling = mail.schooling(options.seed, SCHOOLING)
    else:
        task = str(options.data)
        rows = split_rows(read_rows(options.data), fraction=options.test_fraction, seed=options.seed)
        schooling = []
    train = [row for row in rows if row.split == "train"]
    test = [row for row in rows if row.split == "test"]
    if check_answers(rows, options.teacher):
        schooling = []
    else:
        _must_be_the_labs(options.teacher)
        if not schooling:
            schooling, train = _schooled(train, options.seed)
    if not check_answers(test, options.student):
        _must_be_the_labs(options.student)
    recorded = [row for row in rows if row.answers]
    return Plan(task=task, train=train, test=test, schooling=schooling, recorded=recorded)


def _must_be_the_labs(model: str) -> None:
    if not model.startswith(LAB_OWN):
        raise BadRows(f"answers.{model}: no row has a recorded answer, and the lab has no model of that name")


def _schooled(train: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    schooling, rest = halve(train, seed)
    if not schooling or not rest:
        raise BadRows("too few train rows to school the teacher on one half and capture the other")
    return schooling, rest
