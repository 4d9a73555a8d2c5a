"""The report on a file: each kind of fault by its code and line, what is mended, what is odd, and what is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from distillations.formats import format_named
from distillations.formats.codes import REMEDIES
from distillations.formats.lines import examples, mended
from distillations.formats.openai_chat import OpenAIExample
from distillations.formats.validator import MOST_ERRORS, report_on
from tests.distillations.formats.rows import ANSWER, CALL, CALLS, RESULT, USER, WORSE, example, pair

MALFORMED = Path(__file__).parents[4] / "shared" / "data" / "openai_ft_format" / "malformed"
# Beside what the manifest expects of it, this row is another answer to a question that stands before.
ALSO = {"30_overlong.jsonl": {"conflicting_target", "target_schema_mismatch"}}


def found(lines: bytes, name: str = "openai-chat", **options: Any) -> list[tuple[int | None, str, str]]:
    report = report_on(lines.splitlines(keepends=True), name, **options)
    return [(finding.line, finding.code, finding.level) for finding in report.findings]


def a_row(number: int = 1, answer: str = "delivery") -> dict[str, Any]:
    return example({"role": "user", "content": f"mail {number}"}, {"role": "assistant", "content": answer})


def file_of(*rows: Any) -> bytes:
    return b"".join(row if isinstance(row, bytes) else orjson.dumps(row) + b"\n" for row in rows)


@pytest.mark.data
@pytest.mark.skipif(not MALFORMED.is_dir(), reason="needs ../shared/data/openai_ft_format/malformed")
def test_each_malformed_file_is_refused_mended_or_told_as_its_manifest_says() -> None:
    wrong = {}
    for case in json.loads((MALFORMED / "manifest.json").read_text()):
        report = report_on((MALFORMED / case["file"]).read_bytes().splitlines(keepends=True), "openai-chat", least=10)
        told = {(finding.line, finding.code) for finding in report.findings}
        told -= {(case["line"], code) for code in ALSO.get(case["file"], ())}
        if told != ({(case["line"], case["expected"])} if case["expected"] else set()):
            wrong[case["file"]] = told
    assert wrong == {}


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (b"{broken\n", "invalid_json", None),
        (b'{"messages": "\\ud83d"}\n', "invalid_unicode", None),
        (b'{"messages": "\xff"}\n', "invalid_utf8", None),
        ([1], "data_type", None),
        ({"messages": {}}, "missing_messages_list", "messages"),
        ({"conversation": []}, "missing_messages_list", "messages"),
        (example(), None, None),
        (example({"content": "u"}, ANSWER), "message_missing_key", "messages[0]"),
        (example({"role": "user"}, ANSWER), "message_missing_key", "messages[0].content"),
        (example({"role": "human", "content": "u"}, ANSWER), "unrecognized_role", "messages[0]"),
        (example({**USER, "note": "n"}, ANSWER), "message_unrecognized_key", "messages[0].note"),
        (example(USER, {"role": "assistant", "content": None}), "missing_content", "messages[1]"),
        (example({"role": "user", "content": 5}, ANSWER), "missing_content", "messages[0].content"),
        (example(USER, {"role": "assistant", "content": " \n"}), "empty_assistant", None),
        (example(USER), "example_missing_assistant_message", None),
        (example(USER, ANSWER, USER), "last_message_not_assistant", None),
        (example(USER, {**ANSWER, "weight": 0}), "last_message_not_assistant", None),
        (example(USER, {**ANSWER, "weight": 0.5}), "bad_weight", "messages[1].weight"),
        (example(USER, CALLS, ANSWER), "tool_call_without_result", None),
        (example(USER, RESULT, ANSWER), "tool_result_without_call", None),
        (
            example(
                USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "[1"}}]}
            ),
            "tool_arguments_invalid_json",
            "messages[1].tool_calls[0].function.arguments",
        ),
        ({**example(), "note": "n"}, "unrecognized_key", "note"),
        (b'{"messages": ' + b"[" * 300 + b"]" * 300 + b"}\n", "too_deep", None),
    ],
)
def test_each_fault_has_its_code_its_line_and_its_place(row: Any, code: str | None, field: str | None) -> None:
    report = report_on(file_of(a_row(1), row, a_row(2)).splitlines(keepends=True), "openai-chat")
    told = [(finding.line, finding.code, finding.field) for finding in report.findings]
    assert told == ([(2, code, field)] if code else [])
    assert report.errors == len(told)
    assert all(finding.remedy for finding in report.findings)


@pytest.mark.parametrize(
    ("lines", "name", "code"),
    [
        (b"[\n{}\n]\n", "openai-chat", "not_jsonl"),
        (b'"text"\n{}\n', "openai-chat", "not_jsonl"),
        (a_row().__repr__().encode("utf-16"), "openai-chat", "invalid_utf8"),
        (b'{"conversations": []}\n{}\n', "openai-chat", "foreign_format"),
        (b'{"prompt": "p", "completion": "c"}\n{}\n', "openai-chat", "legacy_format"),
        (file_of(pair(), {}), "openai-chat", "other_method"),
        (file_of(example(), {}), "openai-dpo", "other_method"),
    ],
)
def test_a_file_of_another_kind_is_told_once(lines: bytes, name: str, code: str) -> None:
    assert found(lines, name) == [(1, code, "error")]


def test_what_harms_no_example_is_mended_and_said() -> None:
    nul = orjson.dumps(a_row(2, "a\0b\\u0000")) + b"\r\n"
    lines = b"\xef\xbb\xbf" + file_of(a_row(1), b"\n", nul, b"\n\n")
    assert found(lines) == [
        (1, "utf8_bom", "repaired"),
        (2, "blank_line", "repaired"),
        (3, "control_characters", "repaired"),
    ]
    clean = b"".join(examples(lines.splitlines(keepends=True)))
    assert [orjson.loads(line) for line in clean.splitlines()] == [a_row(1), a_row(2, "ab\\u0000")]
    assert found(clean) == []
    assert b"".join(examples(clean.splitlines(keepends=True))) == clean


def test_lines_keep_their_numbers_and_their_ends() -> None:
    assert [(line.number, line.text, line.end) for line in mended([b"a\r\n", b" \n", b"b"])] == [
        (1, b"a", b"\r\n"),
        (2, b"", b"\n"),
        (3, b"b", b""),
    ]


def test_what_is_odd_is_told_and_refuses_nothing() -> None:
    rows = [a_row(number, '{"a": 1}') for number in range(9)]
    long = a_row(20, '{"a": "' + "x " * 40_000 + '"}')
    chinese = a_row(21, '{"a": "' + "长" * 22_000 + '"}')
    lines = file_of(*rows, rows[0], a_row(1, '{"a": 2}'), a_row(10, "```json\n{}\n```"), long, chinese)
    report = report_on(lines.splitlines(keepends=True), "openai-chat")
    assert [(finding.line, finding.code) for finding in report.findings] == [
        (10, "duplicate_row"),
        (11, "conflicting_target"),
        (12, "target_schema_mismatch"),
        (13, "over_token_limit"),
        (14, "over_token_limit"),
    ]
    assert (report.errors, report.repaired, report.warnings) == (0, 0, 5)
    assert found(file_of(pair(), pair(), pair(worse={**WORSE, "content": "other"})), "openai-dpo") == [
        (2, "duplicate_row", "warning"),
    ]


def test_a_file_needs_rows() -> None:
    assert found(b"\n\n") == [(None, "too_few_examples", "error")]
    assert found(file_of(a_row()), least=2) == [(None, "too_few_examples", "error")]
    assert found(file_of(a_row(), a_row(2)), least=2) == []


def test_a_report_is_bounded_and_errors_go_first() -> None:
    lines = file_of(*(a_row(1) for _ in range(150)), *({"messages": []} for _ in range(130)))
    report = report_on(lines.splitlines(keepends=True), "openai-chat")
    assert (report.rows, report.errors, report.warnings) == (280, 130, 149)
    assert {finding.code for finding in report.findings} == {"missing_messages_list"}
    assert (len(report.findings), report.more) == (100, 179)


def test_a_file_of_wrong_rows_is_not_read_to_its_end() -> None:
    read = []

    def wrong() -> Iterator[bytes]:
        for number in range(1_000_000):
            read.append(number)
            yield b"{}\n"

    report = report_on(wrong(), "openai-chat")
    assert (report.errors, report.rows, len(read)) == (MOST_ERRORS, MOST_ERRORS, MOST_ERRORS)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [1] * 100_000},
        example({"role": "user", "content": [{"type": "text"}] * 100_000}, ANSWER),
        example(USER, {"role": "assistant", "tool_calls": [{}] * 100_000}),
        {**example(), "tools": [{}] * 100_000},
    ],
)
def test_of_a_list_that_is_wrong_throughout_the_first_member_is_told(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as wrong:
        OpenAIExample.model_validate(row)
    assert wrong.value.error_count() <= 3


def test_arguments_are_nested_no_deeper_than_a_row() -> None:
    deep = {**CALL, "function": {"name": "look", "arguments": '{"a":' * 260 + "1" + "}" * 260}}
    row = example(USER, {"role": "assistant", "tool_calls": [deep]})
    assert found(file_of(row)) == [(1, "too_deep", "error")]
    assert format_named("trl-messages").fault(row)


def test_rows_of_a_format_itself_are_checked_by_its_own_rules() -> None:
    row = {"prompt": [USER], "chosen": [ANSWER], "rejected": [WORSE]}
    assert found(file_of(row), "trl-preference", examples=False) == []
    assert found(file_of({**row, "chosen": "text"}), "trl-preference", examples=False) == [
        (1, "invalid_value", "error")
    ]
    assert found(file_of(row), "trl-preference") == [(1, "missing_key", "error")]


def test_every_code_has_a_remedy_in_one_sentence() -> None:
    assert all(remedy.endswith(".") for remedy in REMEDIES.values())
