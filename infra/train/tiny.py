# /// script
# requires-python = ">=3.11"
# dependencies = ["accelerate>=1.10", "datasets>=4", "peft>=0.17", "torch>=2.8", "transformers>=4.57", "trl>=1.0"]
# ///
"""Try `sft.py` without a GPU and without a hub: a tiny model with random weights learns to sort mail, and is asked.

Out: what the model answers to a mail that it was trained on, whole and then with a LoRA adapter on top. The exit code
is 1 where either answer is not the one that was taught. Two minutes on a CPU; it says nothing about how well anything
larger learns.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# It lies beside this script, which is no package.
sft = importlib.import_module("sft")

LABELS = ("billing", "delivery", "account")
MAILS = {
    "billing": ("the invoice is wrong", "I was charged twice", "please refund the payment", "the bill has no tax"),
    "delivery": ("the parcel is late", "it came to the wrong address", "the box was damaged", "where is my order"),
    "account": ("I forgot my password", "close my profile", "change my mail address", "I cannot log in"),
}
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ASKED = "I was charged twice"


def example(mail: str, label: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": mail}, {"role": "assistant", "content": label}]}


def write_recipe(folder: Path, **hyperparameters: Any) -> Path:
    """A training set and its recipe, as a job of the trainer `file` has them."""
    lines = [json.dumps(example(mail, label)) for label in LABELS for mail in MAILS[label]]
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "validation.jsonl").write_text(lines[0], encoding="utf-8")
    recipe = {
        "job_id": "ftjob-tiny",
        "base": str(folder / "base"),
        "student": "tiny",
        "suffix": "tiny",
        "seed": 42,
        "hyperparameters": hyperparameters,
        "train": "train.jsonl",
        "validation": "validation.jsonl",
        "card": None,
    }
    path = folder / "recipe.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


def make_base(folder: Path) -> None:
    """A model of two layers with random weights, and a tokenizer of single bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    raw = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw)
    tokenizer.add_special_tokens(
        {"eos_token": "<|im_end|>", "pad_token": "<|pad|>", "additional_special_tokens": ["<|im_start|>"]}
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(42)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def ask(folder: Path) -> str:
    """The model's answer, by the loader that also takes adapters."""
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = (folder / "adapter_config.json").exists()
    model = (AutoPeftModelForCausalLM if adapter else AutoModelForCausalLM).from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": ASKED}], add_generation_prompt=True, tokenize=False
    )
    given = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
    made = model.generate(given["input_ids"].to(model.device), max_new_tokens=16, do_sample=False)
    return str(tokenizer.decode(made[0][given["input_ids"].shape[1] :], skip_special_tokens=True)).strip()


def main() -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_base(folder / "base")
        recipe = write_recipe(folder, full=True, n_epochs=50, batch_size=12, learning_rate=0.01, max_length=256)
        whole = sft.train(recipe, out=folder / "whole")
        recipe = write_recipe(folder, n_epochs=5, batch_size=12, learning_rate=0.0005, max_length=256, lora_rank=4)
        adapted = sft.train(recipe, base=str(whole), out=folder / "adapted")
        answers = {"untrained": ask(folder / "base"), "whole": ask(whole), "with an adapter": ask(adapted)}
        commands = sft.serving(json.loads(recipe.read_text(encoding="utf-8")), adapted, str(whole))
    for what, answer in answers.items():
        print(f"{what}: {answer!r}")  # noqa: T201 - the result
    print(commands)  # noqa: T201 - as above
    sys.exit(0 if answers["whole"] == answers["with an adapter"] == "billing" else 1)


if __name__ == "__main__":
    main()
