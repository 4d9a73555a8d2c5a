import pytest

from local.demo import plan
from local.demo.plan import Options, make_plan
from local.demo.rows import BadRows


@pytest.fixture
def planned(tmp_path):
    def make(rows, **options):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(row.model_dump_json() for row in rows), "utf-8")
        return make_plan(Options(data=path, **options))

    return make


def test_without_a_file_the_teacher_is_schooled_on_other_mail(monkeypatch):
    monkeypatch.setattr(plan, "TRAIN", 40)
    monkeypatch.setattr(plan, "TEST", 20)
    monkeypatch.setattr(plan, "SCHOOLING", 30)
    made = make_plan(Options())
    assert (len(made.train), len(made.test), len(made.schooling), made.recorded) == (40, 20, 30, [])


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
