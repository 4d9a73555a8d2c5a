"""Train a model on pairs of answers: what `sft.py` does with a recipe whose method is `dpo`.

In: the recipe of a job of the trainer `file`, whose lines are pairs in OpenAI's shape. Out: the folder of the result,
an adapter or the whole model. It is started by `sft.py`, which names what it needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LEARNING_RATES = {"full": 5e-7, "lora": 5e-6}
"""What TRL's pages take for preference training: far less than for examples."""
AT_ONCE = 2
"""The pairs that a device looks at together: each is two conversations."""


def pairs(lines: Path, templated: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pairs as TRL has them: `prompt`, `chosen`, `rejected` and, where any were offered, `tools`."""
    with lines.open(encoding="utf-8") as file:
        for line in file:
            pair = json.loads(line)
            asked = [{k: v for k, v in message.items() if k != "weight"} for message in pair["input"]["messages"]]
            tools = pair["input"].get("tools")
            yield {
                "prompt": [templated(message) for message in asked],
                "chosen": [templated(message) for message in pair["preferred_output"]],
                "rejected": [templated(message) for message in pair["non_preferred_output"]],
                **({"tools": tools} if tools else {}),
            }


def train(
    recipe_path: Path,
    chosen: dict[str, Any],
    model: str,
    folder: Path,
    templated: Callable[[dict[str, Any]], dict[str, Any]],
) -> Path:
    """Train what the recipe says, with the hyperparameters that were chosen, and return the folder of the result."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    recipe = json.loads(recipe_path.read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(model)

    def split(name: str) -> Any:
        if not recipe.get(name):
            return None
        return Dataset.from_list(list(pairs(recipe_path.parent / recipe[name], templated)))

    validation = split("validation")
    at_once = min(AT_ONCE, chosen["batch_size"])
    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=str(folder / "checkpoints"),
            num_train_epochs=chosen["n_epochs"],
            per_device_train_batch_size=at_once,
            per_device_eval_batch_size=at_once,
            gradient_accumulation_steps=max(1, chosen["batch_size"] // at_once),
            learning_rate=chosen.get("learning_rate") or LEARNING_RATES["full" if chosen["full"] else "lora"],
            beta=chosen["beta"],
            max_length=chosen["max_length"],
            bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
            use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
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
