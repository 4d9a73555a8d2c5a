# /// script
# requires-python = ">=3.11"
# dependencies = ["tinker>=0.38", "transformers>=4.57"]
# ///
"""Train an adapter on a training set of Stillhouse at Tinker, whose machines train while this program gives the steps.

In: the `recipe.json` of a job of the trainer `file`, with its files beside it; `sft.py` lies beside this script; the
key of Tinker in `TINKER_API_KEY`. Out: the weights at Tinker, under a name that begins with `tinker://`, where they
answer at once, and the command that tells Stillhouse of them. `uv run infra/train/tinker_sft.py JOB/recipe.json`
installs what it needs by itself.

Assumed, since nothing was trained at Tinker itself: a target is the token behind its input, a loss is the sum over the
tokens that have a weight, and the outputs of a pass name the log-probabilities `logprobs`, as Tinker's cookbook has it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

URL = "https://tinker.thinkingmachines.dev/services/tinker-prod/oai/api/v1"
"""Where Tinker answers by OpenAI's API."""
LOSS = "cross_entropy"


def datum(tinker: Any, example: dict[str, list[int]]) -> Any:
    """An example as Tinker takes it: what goes in, and of each token the next one, with a weight where it is learnt."""
    ids, mask = example["input_ids"], example["completion_mask"]
    return tinker.Datum(
        model_input=tinker.ModelInput.from_ints(ids[:-1]),
        loss_fn_inputs={"target_tokens": ids[1:], "weights": [float(learnt) for learnt in mask[1:]]},
    )


def batches(data: Sequence[Any], size: int, seed: int) -> Iterator[list[Any]]:
    """The data of an epoch in an order that follows from the seed."""
    order = list(data)
    random.Random(seed).shuffle(order)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def mean_loss(data: Sequence[Any], outputs: Sequence[dict[str, Any]]) -> float:
    """The loss of a token that is learnt."""
    lost = weight = 0.0
    for each, output in zip(data, outputs, strict=True):
        weights = each.loss_fn_inputs["weights"].tolist()
        lost -= sum(w * p for w, p in zip(weights, output["logprobs"].tolist(), strict=True))
        weight += sum(weights)
    return lost / weight if weight else 0.0


def learn(tinker: Any, client: Any, splits: dict[str, list[Any]], chosen: dict[str, Any], seed: int) -> None:
    """Give every step of the training, and print the losses. The learning rate falls to nothing, evenly."""
    train, validation = splits["train"], splits.get("validation", [])
    size, epochs = chosen["batch_size"], chosen["n_epochs"]
    steps = epochs * -(-len(train) // size)
    step = 0
    for epoch in range(epochs):
        for batch in batches(train, size, seed + epoch):
            rate = chosen["learning_rate"] * (1 - step / steps)
            # Both are sent before either is waited for: Tinker then does them in one go.
            passed = client.forward_backward(batch, LOSS)
            client.optim_step(tinker.AdamParams(learning_rate=rate)).result()
            step += 1
            _say(f"step {step} of {steps}: train_loss {mean_loss(batch, passed.result().loss_fn_outputs):.4f}")
        if validation:
            outputs = client.forward(validation, LOSS).result().loss_fn_outputs
            _say(f"epoch {epoch + 1} of {epochs}: valid_loss {mean_loss(validation, outputs):.4f}")


def refused(recipe: dict[str, Any]) -> str | None:
    """Why Tinker cannot carry out a recipe; None where it can."""
    if recipe.get("method", "supervised") != "supervised":
        return f"This script trains by examples; the recipe's method is {recipe['method']}: take sft.py."
    if recipe["hyperparameters"].get("full"):
        return "Tinker trains adapters: leave `full` out, or take sft.py."
    return None


def train(recipe_path: Path, tinker: Any, base: str | None = None) -> str:
    """Train what the recipe says and return the name of the weights at Tinker."""
    sft = importlib.import_module("sft")  # It lies beside this script, which is no package.
    recipe = json.loads(recipe_path.read_text(encoding="utf-8"))
    reason = refused(recipe)
    if reason:
        raise SystemExit(reason)
    chosen = {**sft.DEFAULTS, "learning_rate": sft.LEARNING_RATES["lora"], **recipe["hyperparameters"]}
    service = tinker.ServiceClient(user_metadata={"stillhouse_job": recipe["job_id"]})
    client = service.create_lora_training_client(
        base_model=base or recipe["base"], rank=chosen["lora_rank"], seed=recipe["seed"]
    ).result()
    tokenizer = client.get_tokenizer()
    splits = {
        name: [
            datum(tinker, sft.tokens(example, tokenizer, chosen["max_length"]))
            for example in sft.examples(recipe_path.parent / recipe[name])
        ]
        for name in ("train", "validation")
        if recipe.get(name)
    }
    learn(tinker, client, splits, chosen, recipe["seed"])
    return str(client.save_weights_for_sampler(recipe["suffix"]).result().path)


def naming(recipe: dict[str, Any], weights: str, base: str) -> str:
    """The command that tells Stillhouse of the result."""
    named = f"{shlex.quote(weights)} --base {shlex.quote(base)} --job {recipe['job_id']}"
    return f"""\
It answers at Tinker as {weights}. Tell Stillhouse, with the key of Tinker:
  stillhouse model add {named} --url {URL} --key-env TINKER_API_KEY"""


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a person watches the training


def main() -> None:
    parser = argparse.ArgumentParser(description="Train on a training set of Stillhouse at Tinker.")
    parser.add_argument("recipe", type=Path, help="the recipe.json of the job")
    parser.add_argument("--base", help="the model to start from, where Tinker has it by another name")
    given = parser.parse_args()
    recipe = json.loads(given.recipe.read_text(encoding="utf-8"))
    weights = train(given.recipe, importlib.import_module("tinker"), given.base)
    _say(naming(recipe, weights, given.base or recipe["base"]))


if __name__ == "__main__":
    main()
