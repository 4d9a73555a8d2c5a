# /// script
# requires-python = ">=3.11"
# dependencies = ["accelerate>=1.10", "datasets>=4", "peft>=0.17", "torch>=2.8", "transformers>=4.57", "trl>=1.0"]
# ///
"""Train a model on a training set of Stillhouse, on your own machine.

In: the `recipe.json` of a job of the trainer `file`, with its files beside it. Its method is `supervised`, or `dpo`,
for which `dpo.py` lies beside this script. Out: a folder with a LoRA adapter, or with the whole model where the recipe
says `full`, and the commands that serve it on standard output. The same recipe on the same machine gives the same
model. `uv run infra/train/sft.py JOB/recipe.json` installs what it needs by itself.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DEFAULTS: dict[str, Any] = {
    "n_epochs": 3,
    "batch_size": 16,
    "max_length": 4096,
    "lora_rank": 16,
    "full": False,
    "beta": 0.1,
}
LEARNING_RATES = {"full": 1e-5, "lora": 2e-4}
AT_ONCE = 4
"""The examples that a device looks at together; more of a batch are accumulated."""


def examples(lines: Path) -> Iterator[dict[str, Any]]:
    """Each answer that is to be learnt, with what stands before it: `prompt`, `completion` and `tools`.

    An assistant turn with the weight 0 is context only.
    """
    with lines.open(encoding="utf-8") as file:
        for line in file:
            example = json.loads(line)
            messages = [templated(message) for message in example["messages"]]
            for number, message in enumerate(messages):
                # A weight that is null is none.
                if message["role"] == "assistant" and message.pop("weight", None) != 0:
                    before = [{k: v for k, v in turn.items() if k != "weight"} for turn in messages[:number]]
                    yield {"prompt": before, "completion": message, "tools": example.get("tools")}


def templated(message: dict[str, Any]) -> dict[str, Any]:
    """A message as chat templates take it: content is a text, and the arguments of a call are an object."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n\n".join(part["text"] for part in content if part["type"] == "text")
    calls = [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls") or []
    ]
    said = {name: value for name, value in message.items() if value is not None and name != "tool_calls"}
    return {**said, "content": content or "", **({"tool_calls": calls} if calls else {})}


def tokens(example: dict[str, Any], tokenizer: Any, longest: int) -> dict[str, list[int]]:
    """An example as token ids, with a mask over those of the answer. What is too long loses its beginning."""
    prompt = tokenizer.apply_chat_template(
        example["prompt"], tools=example["tools"], add_generation_prompt=True, tokenize=False
    )
    whole = tokenizer.apply_chat_template(
        [*example["prompt"], example["completion"]], tools=example["tools"], tokenize=False
    )
    shared = next(
        (n for n, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), min(len(prompt), len(whole))
    )
    before = tokenizer(whole[:shared], add_special_tokens=False)["input_ids"]
    answer = tokenizer(whole[shared:], add_special_tokens=False)["input_ids"]
    mask = [0] * len(before) + [1] * len(answer)
    return {"input_ids": (before + answer)[-longest:], "completion_mask": mask[-longest:]}


def train(recipe_path: Path, base: str | None = None, out: Path | None = None) -> Path:
    """Train what the recipe says and return the folder of the result."""
    recipe = json.loads(recipe_path.read_text(encoding="utf-8"))
    chosen = {**DEFAULTS, **recipe["hyperparameters"]}
    model = base or recipe["base"]
    folder = out or recipe_path.parent / "model"
    if recipe.get("method") == "dpo":
        # It lies beside this script, which is no package.
        result: Path = importlib.import_module("dpo").train(recipe_path, chosen, model, folder, templated)
        return result
    return _on_examples(recipe_path, recipe, chosen, model, folder)


def _on_examples(recipe_path: Path, recipe: dict[str, Any], chosen: dict[str, Any], model: str, folder: Path) -> Path:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(model)

    def split(name: str) -> Any:
        if not recipe.get(name):
            return None
        found = examples(recipe_path.parent / recipe[name])
        return Dataset.from_list([tokens(example, tokenizer, chosen["max_length"]) for example in found])

    validation = split("validation")
    at_once = min(AT_ONCE, chosen["batch_size"])
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder / "checkpoints"),
            num_train_epochs=chosen["n_epochs"],
            per_device_train_batch_size=at_once,
            per_device_eval_batch_size=at_once,
            gradient_accumulation_steps=max(1, chosen["batch_size"] // at_once),
            learning_rate=chosen.get("learning_rate") or LEARNING_RATES["full" if chosen["full"] else "lora"],
            max_length=chosen["max_length"],
            bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
            use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
            completion_only_loss=True,
            eval_strategy="epoch" if validation is not None else "no",
            save_strategy="no",
            logging_steps=5,
            report_to="none",
            seed=recipe["seed"],
        ),
        train_dataset=split("train"),
        eval_dataset=validation,
        processing_class=tokenizer,
        peft_config=None if chosen["full"] else LoraConfig(r=chosen["lora_rank"], target_modules="all-linear"),
    )
    trainer.train()
    trainer.save_model(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def serving(recipe: dict[str, Any], folder: Path, base: str) -> str:
    """The commands that serve the result with vLLM or Ollama, and the one that tells Stillhouse of it."""
    chosen = {**DEFAULTS, **recipe["hyperparameters"]}
    name, result, start = recipe["suffix"], shlex.quote(str(folder)), shlex.quote(base)
    if chosen["full"]:
        vllm = f"vllm serve {result} --served-model-name {name}"
        modelfile = f"FROM {folder}"
    else:
        lora = f"--enable-lora --max-lora-rank {chosen['lora_rank']} --lora-modules {name}={result}"
        vllm = f"vllm serve {start} {lora}"
        modelfile = f"FROM {base}\\nADAPTER {folder}"
    return f"""\
Serve it with vLLM (port 8000):
  {vllm}
or with Ollama (port 11434; FROM is a folder with the base model's weights, or its name in Ollama):
  printf '{modelfile}\\n' > Modelfile && ollama create {name} -f Modelfile
then tell Stillhouse, with an address that it reaches:
  stillhouse model add {name} --base {start} --url https://HOST/v1 --job {recipe["job_id"]}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Train on a training set of Stillhouse.")
    parser.add_argument("recipe", type=Path, help="the recipe.json of the job")
    parser.add_argument("--base", help="the model to start from, where the hub has it by another name, or its folder")
    parser.add_argument("--out", type=Path, help="the folder of the result; else `model` beside the recipe")
    given = parser.parse_args()
    folder = train(given.recipe, given.base, given.out)
    recipe = json.loads(given.recipe.read_text(encoding="utf-8"))
    print(serving(recipe, folder, given.base or recipe["base"]))  # noqa: T201 - what a person does next


if __name__ == "__main__":
    main()
