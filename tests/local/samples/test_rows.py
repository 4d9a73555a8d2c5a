import json

import pytest

from local.samples import rows
from local.samples.rows import BadRows

GOOD = {
    "messages": [{"role": "user", "content": "hello"}],
    "answers": {"big": "yes"},
    "reference": "yes",
    "metadata": {"split": "test", "feature": "f"},
}


def write(tmp_path, *lines):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


def test_a_file_is_read_and_blank_lines_are_not_rows(tmp_path):
    read = rows.read_rows(write(tmp_path, GOOD, "", {**GOOD, "metadata": {}}))
    assert [row.metadata for row in read] == [GOOD["metadata"], {}]
    assert read[0].prompt() == GOOD["messages"]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ("{", "the line"),
        ("[]", "the line"),
        ({**GOOD, "messages": []}, "messages"),
        ({**GOOD, "messages": [{"role": "user"}]}, "messages.0.content"),
        ({**GOOD, "messages": [{"role": "clerk", "content": "x"}]}, "messages.0.role"),
        ({**GOOD, "answers": {"big": 3}}, "answers.big"),
        ({**GOOD, "answers": {"big": ""}}, "answers.big"),
        ({key: GOOD[key] for key in ("messages", "answers")}, "reference"),
        ({**GOOD, "reference": None}, "reference"),
        ({**GOOD, "metadata": {"split": "dev"}}, "metadata"),
        ({**GOOD, "metadata": {"a": 1}}, "metadata.a"),
        ({**GOOD, "metadata": {str(n): "x" for n in range(14)}}, "metadata"),
        ({**GOOD, "metadata": {"a": "x" * 513}}, "metadata.a"),
        ({**GOOD, "answer": "yes"}, "answer"),
    ],
)
def test_a_malformed_row_is_one_line_that_names_line_and_field(tmp_path, bad, field):
    with pytest.raises(BadRows) as caught:
        rows.read_rows(write(tmp_path, GOOD, bad))
    message = str(caught.value)
    assert message.startswith(f"rows.jsonl line 2: {field}: ")
    assert "\n" not in message


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(BadRows, match="No such file"):
        rows.read_rows(tmp_path / "absent.jsonl")
    with pytest.raises(BadRows, match="no rows"):
        rows.read_rows(write(tmp_path, ""))
    (tmp_path / "latin.jsonl").write_bytes(b'{"messages": "\xe9"}')
    with pytest.raises(BadRows, match="not UTF-8"):
        rows.read_rows(tmp_path / "latin.jsonl")


def test_the_rows_own_split_wins_over_the_fraction(make_row):
    parted = rows.split_rows([make_row("a", "train"), make_row("b", "test")], fraction=0.99, seed=1)
    assert [row.split for row in parted] == ["train", "test"]


def test_the_split_is_seeded_near_its_fraction_and_keeps_equal_inputs_together(make_row):
    many = [make_row(f"text {number}") for number in range(1_000)]
    parted = rows.split_rows(many + many, fraction=0.3, seed=1)
    sides = [row.split for row in parted]
    assert sides[:1_000] == sides[1_000:]
    assert 0.25 < sides.count("test") / len(sides) < 0.35
    assert sides == [row.split for row in rows.split_rows(many + many, fraction=0.3, seed=1)]
    assert sides != [row.split for row in rows.split_rows(many + many, fraction=0.3, seed=2)]


def test_an_empty_side_is_refused(make_row):
    with pytest.raises(BadRows, match="no row is in test"):
        rows.split_rows([make_row("a", "train")], fraction=0.3, seed=1)


def test_halves_are_disjoint_complete_and_keep_equal_inputs_together(make_row):
    many = [make_row(f"text {number % 150}", "train") for number in range(300)]
    schooling, rest = rows.halve(many, 1)
    assert len(schooling) + len(rest) == 300
    assert not {row.input_key() for row in schooling} & {row.input_key() for row in rest}
    assert 60 < len(schooling) < 240


def test_a_model_answers_all_rows_or_none(make_row):
    answered, silent = make_row(answers={"big": "yes"}), make_row()
    assert rows.check_answers([answered, answered], "big")
    assert not rows.check_answers([silent], "big")
    with pytest.raises(BadRows, match=r"row 2: answers\.big: missing \(1 rows"):
        rows.check_answers([answered, silent], "big")
