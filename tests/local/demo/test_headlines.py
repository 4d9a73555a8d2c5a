from local.demo.headlines import headlines
from tests.distillations import documents


def test_five_lines_say_what_trains_and_what_kept_the_rest_out():
    dropped = {"test_leaks": 4, "near_leaks": 1, "truncated": 2, "malformed": 0, "duplicates": 3, "contradictions": 5}
    lines = headlines(documents.card(rows=1060, train_rows=954, validation_rows=106, selected=1075, dropped=dropped))
    assert lines == [
        "1,060 of 1,075 completions: 954 train, 106 validate",
        "leaks of test rows kept out: 4 test leaks, 1 near leaks",
        "doubled: 3 duplicates",
        "questions answered in two ways, outvoted: 5 contradictions",
        "answers that teach nothing good: 2 truncated",
    ]


def test_a_clean_set_says_so():
    lines = headlines(documents.card(rows=3, selected=None, dropped={"duplicates": 0}))
    assert lines[0].startswith("3 of 3 ")
    assert all(line.endswith(": none") for line in lines[1:])
