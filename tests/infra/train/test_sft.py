"""What the training script makes of a line, and the commands that it tells. TRL is tried by `make train-tiny`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from distillations.hyperparameters import OwnHyperparameters
from infra.train import sft
from tests.infra.train.letters import Letters

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"id": 7}'}}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def learnt(tmp_path: Path, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return list(sft.examples(path))


def test_each_answer_with_a_weight_is_an_example_with_what_stands_before_it(tmp_path: Path) -> None:
    history = [user("a"), assistant("b", weight=0), user("c"), assistant("d")]
    [example] = learnt(tmp_path, {"messages": history})
    assert example["prompt"] == [user("a"), assistant("b"), user("c")]
    assert (example["completion"], example["tools"]) == (assistant("d"), None)
    both = [user("a"), assistant("b"), user("c"), assistant("d")]
    assert [one["completion"]["content"] for one in learnt(tmp_path, {"messages": both})] == ["b", "d"]


def test_arguments_are_objects_and_parts_are_a_text(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    line = {
        "messages": [{"role": "user", "content": parts}, {"role": "assistant", "tool_calls": [CALL]}],
        "tools": TOOLS,
    }
    [example] = learnt(tmp_path, line)
    assert example["prompt"] == [user("a\n\nb")]
    assert example["completion"]["tool_calls"][0]["function"] == {"name": "look", "arguments": {"id": 7}}
    assert (example["completion"]["content"], example["tools"]) == ("", TOOLS)


@pytest.mark.parametrize(
    ("longest", "text", "learnt_text"), [(100, "u:hi;a:yes;", "yes;"), (6, "a:yes;", "yes;"), (2, "s;", "s;")]
)
def test_the_loss_is_that_of_the_answer_and_what_is_too_long_loses_its_beginning(
    longest: int, text: str, learnt_text: str
) -> None:
    made = sft.tokens({"prompt": [user("hi")], "completion": assistant("yes"), "tools": None}, Letters(), longest)
    assert "".join(map(chr, made["input_ids"])) == text
    masked = [letter for letter, mask in zip(text, made["completion_mask"], strict=True) if mask]
    assert "".join(masked) == learnt_text


@pytest.mark.parametrize("full", [True, False])
def test_it_tells_how_to_serve_the_result_and_to_name_it(full: bool) -> None:
    recipe = {"suffix": "triage", "job_id": "ftjob-1", "hyperparameters": {"full": full, "lora_rank": 8}}
    told = sft.serving(recipe, Path("out"), "Qwen/Qwen3-0.6B")
    assert "stillhouse model add triage --base Qwen/Qwen3-0.6B --url https://HOST/v1 --job ftjob-1" in told
    assert ("--max-lora-rank 8 --lora-modules triage=out" in told) is not full
    assert ("vllm serve out --served-model-name triage" in told) is full
    assert ("ADAPTER out" in told) is not full


def test_it_takes_every_hyperparameter_that_the_trainer_takes() -> None:
    assert set(OwnHyperparameters.model_fields) == {*sft.DEFAULTS, "learning_rate"}


def test_what_is_null_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    line = {"messages": [user("a"), assistant("b", weight=None, tool_calls=None, name=None)], "tools": None}
    [example] = learnt(tmp_path, line)
    assert (example["completion"], example["tools"]) == (assistant("b"), None)
