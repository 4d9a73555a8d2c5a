import re

import pytest

from local.demo import plan
from local.demo.plan import Options, make_plan
from local.samples.rows import BadRows


@pytest.fixture
def planned(tmp_path):
    def make(rows, **options):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(row.model_dump_json() for row in rows), "utf-8")
        return make_plan(Options(data=path, **options))

    return make


def test_without_a_file_the_teacher_is_the_one_that_the_stack_has_ready(monkeypatch):
    monkeypatch.setattr(plan, "TRAIN", 40)
    monkeypatch.setattr(plan, "TEST", 20)
    made = make_plan(Options())
    assert (len(made.train), len(made.test), made.schooling, made.recorded) == (40, 20, [], [])
    assert made.teacher == "lab-large"


def test_a_teacher_of_other_rows_has_a_name_of_its_own(planned, make_row):
    rows = [*(make_row(f"train {number}", "train") for number in range(40)), make_row("b", "test")]
    assert re.fullmatch("lab-large-[0-9a-f]{8}", planned(rows).teacher)
    assert planned(rows).teacher == planned(rows).teacher != planned(rows[1:]).teacher
    assert planned(rows, teacher="lab-mine").teacher == "lab-mine"


def test_a_recorded_teacher_is_not_schooled(planned, make_row):
    answers = {"big": "yes", "small": "no"}
    rows = [make_row("a", "train", answers=answers), make_row("b", "test", answers=answers)]
    made = planned(rows, teacher="big", student="small")
    assert (len(made.train), len(made.test), made.schooling, made.recorded) == (1, 1, [], rows)


def test_the_labs_teacher_learns_half_of_the_train_rows_which_are_not_captured(planned, make_row):
    train = [make_row(f"train {number}", "train") for number in range(40)]
    made = planned([*train, make_row("b", "test")])
    assert len(made.train) + len(made.schooling) == 40
    assert made.train
    assert made.schooling
    captured = {row.input_key() for row in [*made.train, *made.test]}
    assert not captured & {row.input_key() for row in made.schooling}


def test_a_model_nobody_recorded_is_refused(planned, make_row):
    rows = [make_row("a", "train"), make_row("b", "test")]
    with pytest.raises(BadRows, match=r"answers\.big: no row has a recorded answer"):
        planned(rows, teacher="big")
    rows = [make_row(text, split, answers={"big": "yes"}) for text, split in (("a", "train"), ("b", "test"))]
    with pytest.raises(BadRows, match=r"answers\.small: no row"):
        planned(rows, teacher="big", student="small")


def test_too_few_rows_to_school_a_teacher_are_refused(planned, make_row):
    with pytest.raises(BadRows, match="too few train rows"):
        planned([make_row("a", "train"), make_row("b", "test")])
