"""The whole report: its totals are the card's, the order of rows makes no difference, and what is wrong is said."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.report.survey import Survey
from completions.completion import Completion
from distillations.answer_steps import Truncated
from distillations.recipe import Balance, Contradictions, Duplicates, Recipe
from distillations.text_steps import PersonalData
from providers.terms import TeacherTerms
from stats import holm
from tests.assembly.curating import completion, correction, curated
from tests.assembly.reporting import AS_THEY_ARE, differing, drifting, reported
from tests.distilling import build
from tests.examples import examples

KINDS = ["refund", "delivery", "account"]
RECIPE = Recipe(
    steps=[Truncated(), Contradictions(), Duplicates(), Balance(by="answer", at_least=5, most_copies=3)],
    validation_share=0.2,
)


def mail(number: int, kind: str, *, at: int = 0, **more: Any) -> Completion:
    record = build.record(number, f"about {kind} number {number}", kind, metadata={"topic": kind}, **more)
    record["response"]["created"] += at
    return Completion.of(record, at=build.AT)


def mails(counts: dict[str, int], first: int = 0, **more: Any) -> list[Completion]:
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    return [mail(first + number, kind, **more) for number, kind in enumerate(kinds)]


@st.composite
def some_completions(draw: st.DrawFn) -> list[Completion]:
    rows = draw(st.lists(st.tuples(st.integers(0, 12), st.sampled_from(KINDS), st.booleans()), max_size=30))
    return [
        completion(
            number,
            f"question {question}",
            kind,
            metadata={"topic": kind},
            choice={"finish_reason": "length" if cut else "stop"},
        )
        for number, (question, kind, cut) in enumerate(rows)
    ]


@given(some_completions(), st.randoms(use_true_random=False))
@settings(max_examples=examples(60))
def test_totals_are_the_cards_and_the_order_makes_no_difference(rows: list[Completion], random: Random) -> None:
    curator = curated(rows, RECIPE).curator
    report = reported(rows, RECIPE, production=rows[:7])
    train = [place for _, place in curator.examples if place.outcome == "train"]
    assert (report.selected, report.rows) == (curator.journal.selected, len(curator.examples))
    assert (report.train_rows, report.train_lines) == (len(train), sum(place.copies for place in train))
    assert report.rows == report.train_rows + report.validation_rows
    assert {step.rule: step.dropped for step in report.steps if step.dropped} == {
        rule: count for rule, count in curator.journal.dropped.items() if count
    }
    for before, after in zip(report.steps, report.steps[1:], strict=False):
        assert before.after == after.before
    assert (report.steps[0].before, report.steps[-1].after) == (report.selected, report.rows)
    for field in report.labels:
        if field.closed:
            assert sum(value.selected for value in field.values) == report.selected
            assert sum(value.train_lines for value in field.values) == report.train_lines
    random.shuffle(rows)
    assert reported(rows, RECIPE, production=sorted(rows, key=lambda row: row.created)[:7]) == report


def test_what_is_rarer_than_in_production_is_said() -> None:
    traffic = mails({"refund": 310, "delivery": 390, "account": 300})
    train = mails({"refund": 8, "delivery": 112, "account": 80}, first=2_000)
    report = reported(train, production=traffic)
    assert {"answer", "metadata.topic"} <= set(differing(report))
    assert "metadata.topic 'refund' is 31% of recent traffic and 4% of this set." in report.warnings
    [topic] = [one for one in report.skew if one.field == "metadata.topic"]
    assert topic.psi > topic.psi_noise_95 > topic.psi_noise > 0
    interval = topic.changes[0].interval
    assert interval
    assert interval.low < topic.changes[0].other_share - topic.changes[0].share < interval.high < 0


def test_the_more_fields_are_compared_the_more_each_must_show() -> None:
    traffic = mails({"refund": 310, "delivery": 390, "account": 300})
    skew = reported(mails({"refund": 30, "delivery": 112, "account": 80}, first=2_000), production=traffic).skew
    assert len(skew) > 1
    assert [one.adjusted_p_value for one in skew] == pytest.approx(holm([one.p_value for one in skew]))
    assert any(one.adjusted_p_value > one.p_value for one in skew)


def test_times_of_day_are_the_last_of_what_differs() -> None:
    production = [completion(5000 + n, f"mail {n}", "yes" if n % 10 else "no") for n in range(300)]
    report = reported(
        [completion(n, f"mail {n}", "no" if n % 10 else "yes") for n in range(300)], production=production
    )
    assert {"hour", "answer"} <= set(differing(report))
    told = [line.split()[0] for line in report.warnings if "recent traffic" in line]
    assert told.index("answer") < told.index("hour") == len(told) - told.count("hour")


def test_halves_of_one_set_do_not_differ() -> None:
    every = mails({"refund": 60, "delivery": 90, "account": 150})
    for seed in range(8):
        shuffled = Random(seed).sample(every, len(every))
        assert differing(reported(shuffled[:150], production=shuffled[150:])) == []


def test_a_set_is_no_skew_of_itself_even_if_some_rows_of_it_do_not_train() -> None:
    every = mails({"refund": 60, "delivery": 90, "account": 150})
    report = reported(every, Recipe(steps=[], validation_share=0.3), production=every)
    assert differing(report) == []
    assert report.production
    assert report.production.in_training == report.train_rows < len(every)


def test_rows_repeated_on_purpose_are_seen_as_what_they_make() -> None:
    every = mails({"refund": 10, "delivery": 200, "account": 200})
    balanced = Recipe(steps=[Balance(by="answer", at_least=200, most_copies=20)], validation_share=0)
    assert "answer" in differing(reported(every, balanced, production=every))
    assert differing(reported(every, production=every)) == []


def test_drift_names_what_ended_and_what_began() -> None:
    day = 86_400
    old = [mail(number, ["old name", "account"][number % 2], at=number * day) for number in range(60)]
    new = [mail(number, ["new name", "account"][number % 2], at=number * day) for number in range(60, 120)]
    report = reported([*new, *old])
    assert {"answer", "metadata.topic"} <= set(drifting(report))
    assert report.drift
    assert [one.value for one in report.drift.ended["answer"]] == ["old name"]
    assert [one.value for one in report.drift.began["answer"]] == ["new name"]
    assert any("'old name' was not seen after 2026-11" in warning for warning in report.warnings)


def test_uneven_and_rare_slices_are_said() -> None:
    report = reported(mails({"refund": 12, "delivery": 100, "account": 90}))
    [answer] = [one for one in report.imbalances if one.field == "answer"]
    assert (answer.largest, answer.largest_rows, answer.smallest, answer.smallest_rows) == (
        "delivery",
        100,
        "refund",
        12,
    )
    assert {(one.field, one.value) for one in report.rare_slices} == {
        ("answer", "refund"),
        ("metadata.topic", "refund"),
    }
    assert any("uneven" in warning for warning in report.warnings)
    assert any("answer 'refund' (12)" in warning for warning in report.warnings)


def test_leaks_and_terms_come_first() -> None:
    rows = mails({"refund": 30, "account": 30})
    terms = [TeacherTerms(provider="openai", trains_others="no", note="section 2")]
    report = reported(rows, test=rows[:4], terms=terms)
    assert "openai" in report.warnings[0]
    assert report.warnings[1].startswith("4 of 60 completions are, or nearly are, rows of the test")


def test_each_rule_has_its_first_three_examples() -> None:
    rows = [completion(number, f"mail {number}", choice={"finish_reason": "length"}) for number in range(5)]
    report = reported([*reversed(rows), completion(9, "mail 9")], Recipe(validation_share=0))
    [step] = [step for step in report.steps if step.rule == "truncated"]
    assert (step.before, step.dropped, step.after) == (6, 5, 1)
    assert [example.id for example in step.examples] == [f"chatcmpl-{number}" for number in range(3)]
    assert step.examples[0].reason
    assert step.examples[0].question is None, "texts are read when somebody asks"


def test_a_corrected_answer_counts_as_it_trains() -> None:
    wrong = completion(1, "mail 1", "wrong")
    survey = Survey(BytesIO(), (), {wrong.id: correction(1, role="assistant", content="right")})
    survey.note(wrong)
    assert b'"right"' in survey.part()
    assert b'"wrong"' not in survey.part()


def test_parts_of_a_survey_make_the_whole() -> None:
    rows = mails({"refund": 30, "account": 40})
    whole, parts = Survey(BytesIO()), [Survey(BytesIO()), Survey(BytesIO())]
    together = Survey(BytesIO())
    for number, row in enumerate(rows):
        whole.note(row)
        parts[number % 2].note(row)
    for part in parts:
        together.take(part.part())
    assert sorted(together.part().splitlines()) == sorted(whole.part().splitlines())


@pytest.mark.parametrize("rows", [[], [completion(1, "mail")], [completion(1, "")]])
def test_next_to_nothing_has_a_report(rows: list[Completion]) -> None:
    report = reported(rows, AS_THEY_ARE)
    assert (report.selected, report.train_rows, report.drift, report.production) == (len(rows), len(rows), None, None)
    assert (report.suitability is None) == (not rows)


def test_hostile_values_are_bounded_text_on_one_line() -> None:
    evil = "<script>alert(1)</script>\n# x\u202e"
    rows = [completion(number, "mail", "yes", metadata={evil: evil[: 1 + number % 2 * 30]}) for number in range(60)]
    report = reported(rows[:30], production=[*rows[30:], *mails({"refund": 40}, first=200)])
    assert report.warnings
    assert all("\n" not in warning and "\u202e" not in warning and len(warning) < 400 for warning in report.warnings)


def test_a_set_that_masks_has_nothing_of_it_in_its_report() -> None:
    recipe = Recipe(steps=[PersonalData()], validation_share=0)
    rows = [
        completion(
            number,
            f"Dear Lovelace, whose address is it? {number}",
            "ada@lane.example",
            metadata={"user": "ada@lane.example"},
        )
        for number in range(60)
    ]
    report = reported(rows, recipe, production=rows[:30])
    told = report.model_dump_json().casefold()
    assert "lane" not in told
    assert "lovelace" not in told
    assert "<email_1>" in told
