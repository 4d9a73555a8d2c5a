"""The test rows: fixed once, identical inputs once, the teacher's answer where there is one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from distillations.distillation import Distillation
from distilling.advance import advance
from distilling.freeze import freeze
from evals.files import File
from foundation import blobs
from tests.distilling import build
from tests.flow.system import System


def rows_of(distillation: Distillation) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in blobs.get(distillation.rows_key).splitlines()]


def test_a_row_has_what_graders_see_and_how_to_ask_again(system: System) -> None:
    build.captured(system, [build.record(7, "seven")])
    distillation = build.distillation()

    frozen = freeze(distillation)

    assert frozen.completion_ids == ["chatcmpl-7"]
    assert frozen.teacher_answered
    assert frozen.bytes == len(blobs.get(distillation.rows_key))
    [row] = rows_of(distillation)
    assert row["item"] == {
        "input": build.asked("seven"),
        "reference": "secret-reference-7",
        "metadata": {"split": "test"},
        "completion_id": "chatcmpl-7",
    }
    assert row["request"] == {"temperature": 0}
    assert row["sample"]["choices"][0]["message"]["content"] == "yes"


def test_frozen_rows_do_not_change_whatever_is_captured_later(system: System) -> None:
    build.captured(system, [build.record(1, "one")])
    distillation = build.distillation()
    first, body = freeze(distillation), blobs.get(distillation.rows_key)

    build.captured(system, [build.record(2, "two"), build.record(3, "one")])

    assert freeze(distillation) == first
    assert blobs.get(distillation.rows_key) == body


def test_whoever_freezes_second_takes_the_rows_of_the_first(system: System, monkeypatch: Any) -> None:
    build.captured(system, [build.record(1, "one")])
    distillation = build.distillation()
    first = freeze(distillation)
    build.captured(system, [build.record(2, "two")])
    # The second looked before the first had written.
    monkeypatch.setattr("foundation.blobs.exists", lambda _: False)

    assert freeze(distillation) == first


def test_identical_inputs_count_once_and_the_teachers_answer_stays(system: System) -> None:
    records = [
        build.record(1, "the  same mail ", "no", model="other"),
        build.record(2, "the same\nmail", "first of the teacher"),
        build.record(3, "the same mail", "second of the teacher"),
        build.record(4, "another mail"),
    ]
    part = {"type": "text", "text": "the same mail", "cache_control": {"type": "ephemeral"}}
    records[0]["request"]["messages"] = [{"role": "user", "content": [part]}]
    build.captured(system, records)
    distillation = build.distillation()

    frozen = freeze(distillation)

    assert (frozen.rows, sorted(frozen.completion_ids)) == (2, ["chatcmpl-2", "chatcmpl-4"])
    assert frozen.teacher_answered
    assert frozen.duplicates == 2
    assert [row.get("duplicates") for row in rows_of(distillation)] == [2, None]
    assert freeze(distillation) == frozen, "whoever comes second reads the same counts"


def test_one_row_without_the_teachers_answer_is_said(system: System) -> None:
    build.captured(system, [build.record(1, "one"), build.record(2, "two", model="other")])
    distillation = build.distillation()

    frozen = freeze(distillation)

    assert (frozen.rows, frozen.teacher_answered) == (2, False)
    assert ["sample" in row for row in rows_of(distillation)] == [True, False]


def test_a_teacher_is_known_by_the_name_asked_for_and_by_the_snapshot_that_answered(system: System) -> None:
    record = build.record(1, "one")
    record["response"]["model"] = "gpt-4o-2024-08-06"
    build.captured(system, [record])
    assert freeze(build.distillation(number=1)).teacher_answered
    assert freeze(build.distillation(number=2, teacher="gpt-4o-2024-08-06")).teacher_answered
    assert not freeze(build.distillation(number=3, teacher="gpt-4o-mini")).teacher_answered


def test_the_filter_ends_where_it_says(system: System) -> None:
    build.captured(system, [build.record(number, f"mail {number}") for number in range(5)])
    until = build.distillation(number=1, test=build.source("test", created_before=build.AT + 2))
    limited = build.distillation(number=2, test=build.source("test", limit=4))

    assert freeze(until).completion_ids == ["chatcmpl-0", "chatcmpl-1", "chatcmpl-2"]
    assert freeze(limited).rows == 4


def test_the_post_fixes_the_end_of_the_filter(system: System) -> None:
    train = [build.record(number, f"question {number}", split="train") for number in range(10, 30)]
    build.captured(system, [build.record(1, "one", "billing"), *train])
    made = build.distillation()
    body = {"name": "n", "eval_id": made.eval_id, "teacher": build.TEACHER, "student": "lab-small"}
    sources = {"test": build.source("test"), "train": build.source("train", created_before=build.AT + 99)}

    asked = system.ok("POST", "/v1/distillations", {**body, **sources})

    assert asked["test"]["created_before"] == asked["created_at"]
    assert asked["train"]["created_before"] == build.AT + 99


def test_a_file_of_rows_is_frozen_with_names_that_follow_from_the_input(system: System) -> None:  # noqa: ARG001
    lines = [{"item": {"input": build.asked(text), "reference": "r"}, "sample": {"x": 1}} for text in ("a", "b", " a ")]
    blobs.put("files/rows.jsonl", b"\n".join(orjson.dumps(line) for line in lines))
    file = File(id="file-9", created_at=build.AT, bytes=1, filename="rows", purpose="evals", key="files/rows.jsonl")
    file.create()
    first, other = (build.distillation(number=number, test={"type": "file_id", "id": file.id}) for number in (1, 2))

    frozen = freeze(first)

    assert (frozen.rows, frozen.teacher_answered) == (2, False)
    assert len(set(frozen.completion_ids)) == 2
    assert freeze(other).completion_ids == frozen.completion_ids


def test_nothing_selected_is_no_row(system: System) -> None:  # noqa: ARG001
    assert freeze(build.distillation()).rows == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"item": {"input": [', "invalid_json"),
        (b'{"item": {"input": "text"}}', "invalid_row"),
        (None, "file_not_found"),
    ],
)
def test_a_file_that_holds_no_rows_ends_the_distillation_with_the_reason(
    body: bytes | None, code: str, system: System
) -> None:
    file = File(id="file-9", created_at=build.AT, bytes=1, filename="rows", purpose="evals", key="files/rows.jsonl")
    assert file.create()
    if body is not None:
        blobs.put(file.key, body)
    distillation = build.distillation(test={"type": "file_id", "id": "file-9"})
    advance(distillation.id)
    ended = Distillation.load(distillation.id)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == ("failed", code)
    assert [message["type"] for message in build.sent(system, "NOTIFY")] == ["DistillationFailed"]
