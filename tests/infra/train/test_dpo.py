"""The pairs that the script for an own machine reads, as TRL takes them."""

from __future__ import annotations

import json
from pathlib import Path

from distillations.formats import format_named
from infra.train import dpo, sft
from tests.distillations.formats.rows import ANSWER, CALLS, RESULT, TOOLS, USER, WORSE, pair


def test_pairs_are_read_as_the_export_for_trl_writes_them(tmp_path: Path) -> None:
    rows = [pair(), pair(USER, CALLS, RESULT, tools=TOOLS), pair(USER, better=CALLS, worse=WORSE, tools=TOOLS)]
    lines = tmp_path / "train.jsonl"
    lines.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    read = list(dpo.pairs(lines, sft.templated))
    assert read == [format_named("trl-preference").written(row) for row in rows]


def test_what_weighs_an_answer_of_the_history_is_no_field_of_a_prompt(tmp_path: Path) -> None:
    lines = tmp_path / "train.jsonl"
    lines.write_text(json.dumps(pair(USER, {**ANSWER, "weight": 0}, USER)), encoding="utf-8")
    [read] = dpo.pairs(lines, sft.templated)
    assert read["prompt"] == [USER, ANSWER, USER]
