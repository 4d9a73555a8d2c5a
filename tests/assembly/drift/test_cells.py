"""The traffic counted in the cells of a report: as the report itself would have counted it."""

from __future__ import annotations

from typing import Any

import pytest

from assembly.drift.cells import RARE, Beside, counted_in, fields_of
from assembly.drift.observed import observed
from assembly.report.compare import compared
from completions.completion import Completion
from distillations.report.document import DatasetReport
from tests.assembly.reporting import reported
from tests.distilling import build


def rows(sizes: list[int], *, first: int = 0, answer: str = "yes", **more: Any) -> list[Completion]:
    """Completions whose questions have so many letters."""
    return [
        Completion.of(build.record(first + number, "x" * size, answer, **more), at=build.AT)
        for number, size in enumerate(sizes)
    ]


def beside(
    trained: list[Completion], traffic: list[Completion], report: DatasetReport | None = None
) -> dict[str, Beside]:
    of_it = observed(traffic, [], None)
    made = fields_of(report or reported(trained), of_it, observed(trained, [], None))
    return {field.trained.field: field for field in made}


@pytest.mark.parametrize("letters", [1, 8, 9, 17, 100, 1000])
def test_an_amount_falls_into_the_range_that_the_report_had_it_in(letters: int) -> None:
    """Else every amount at the border of a range would be on one side of it there, and on the other here."""
    step = max(1, letters // 250)
    sizes = [size for size in range(letters, 3 * letters + 40, step) for _ in range(2)]
    cells = beside(rows(sizes), rows(sizes, first=9000))["question_characters"].trained
    assert list(cells.first) == list(cells.second)
    assert len(cells.first) > 3


def test_amounts_beyond_those_of_the_set_are_a_cell_of_their_own() -> None:
    field = beside(rows([10, 20, 40] * 30), rows([10, 900, 900] * 30, first=9000))["question_characters"].trained
    assert dict(zip(field.names, zip(field.first, field.second, strict=True), strict=True))[
        ("more than 40", "value")
    ] == (60, 0)


def test_values_that_hardly_anybody_has_are_one_cell() -> None:
    trained = [row for n in range(8) for row in rows([9] * 2, first=10 * n, metadata={"team": f"t{n}"})]
    trained += rows([9] * 60, first=500, metadata={"team": "big"})
    traffic = rows([9] * 60, first=900, metadata={"team": "big"}) + rows([9] * 7, first=990, metadata={"team": "new"})
    field = beside(trained, traffic)["metadata.team"].trained
    counted = {name: (ours, theirs) for name, ours, theirs in zip(field.names, field.first, field.second, strict=True)}
    assert counted == {("big", "value"): (60, 60), RARE: (0, 16), ("new", "value"): (7, 0)}


def test_answers_count_only_of_a_model_whose_answers_the_set_has() -> None:
    trained = rows([9, 10] * 40)
    other = rows([9, 10] * 40, first=900, answer="no", model="student")
    fields = beside(trained, other)
    assert not {"answer", "answer_characters", "answer_tokens", "finish_reason", "tools_called"} & fields.keys()
    fields = beside(trained, rows([9, 10] * 40, first=2000, answer="no") + other)
    assert sum(fields["answer"].trained.first) == 80
    assert sum(fields["question_characters"].trained.first) == 160


def test_what_the_set_repeats_is_counted_as_it_trains_and_as_it_was_selected() -> None:
    report = reported(rows([9, 10] * 40))
    [field] = [one for one in report.labels if one.field == "metadata.split"]
    values = [one.model_copy(update={"train_lines": 3 * one.train_lines}) for one in field.values]
    report = report.model_copy(update={"labels": [field.model_copy(update={"values": values})]})
    both = beside([], rows([9] * 60, first=900), report)["metadata.split"]
    assert (list(both.trained.second), list(both.selected.second)) == ([240], [80])


def test_the_rows_of_a_slice_are_counted_in_the_ranges_of_the_whole() -> None:
    trained = rows([9, 10, 40] * 40, metadata={"team": "a"}) + rows([900] * 80, first=500, metadata={"team": "b"})
    part = counted_in(reported(trained), observed(trained[:120], [], None).features)
    fields = beside(trained, rows([9, 10, 40] * 20, first=900, metadata={"team": "a"}), part)
    for field in (fields["question_characters"], fields["metadata.team"]):
        assert list(field.trained.second) == list(field.selected.second) == [2 * ours for ours in field.trained.first]
    assert (part.selected, part.train_lines) == (120, 120)


def test_turns_of_one_conversation_make_a_difference_less_sure() -> None:
    trained = [row for n, team in enumerate("ab") for row in rows([9] * 60, first=100 * n, metadata={"team": team})]
    alone = rows([9] * 60, first=900, metadata={"team": "a"})
    fields = beside(trained, alone)["metadata.team"].trained
    [sure] = compared([fields])
    for separate in ((0.2, 1.0), (1.0, 0.2)):
        [less] = compared([fields._replace(separate=separate)])
        assert sure.p_value < less.p_value
        assert (sure.psi, sure.psi_noise_95 < less.psi_noise_95) == (less.psi, True)


def turns(conversations: int, each: int, *, first: int = 0) -> list[Completion]:
    """So many conversations of so many turns, behind an answer."""
    made = []
    for number in range(conversations * each):
        record = build.record(first + number, "go on", metadata={"team": "ab"[number % 2]})
        opened = [{"role": "user", "content": f"{first} {number // each}"}, {"role": "assistant", "content": "Yes?"}]
        record["request"]["messages"] = [*opened, *record["request"]["messages"]]
        made.append(Completion.of(record, at=build.AT))
    return made


def test_turns_of_a_conversation_count_once_on_the_side_on_which_they_are() -> None:
    trained, traffic = turns(12, 10), rows([9] * 60, first=900, metadata={"team": "a"})
    assert beside(trained, traffic)["metadata.team"].trained.separate == (1.0, 0.1)
    assert beside(traffic, trained)["metadata.team"].trained.separate == (0.1, 1.0)


def test_of_a_set_of_which_some_rows_are_read_no_more_conversations_are_told_than_are_seen() -> None:
    """Of calls without earlier answers, each one by itself, the rest is like them."""
    some = observed([*turns(10, 2), *rows([9] * 20, first=500)], [], None)
    assert (some.conversations, some.alone, some.separate()) == (30, 20, 0.75)
    assert some.separate(400) == 0.5 + 10 / 400
    assert observed([], [], None).separate(400) == 1.0


def test_a_set_whose_completions_are_gone_is_taken_to_be_as_the_traffic_is() -> None:
    report = reported(turns(12, 10))
    fields = fields_of(report, observed(turns(20, 5, first=900), [], None), observed([], [], None))
    assert {field.trained.separate for field in fields} == {(0.2, 0.2)}
