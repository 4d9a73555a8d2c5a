"""The script for Tinker: each example with the next tokens as its targets, each step, the name of the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.train import tinker_sft
from tests.infra.train.letters import Letters

FOLDER = Path(tinker_sft.__file__).parent
EXAMPLE = {"input_ids": [5, 6, 7, 8], "completion_mask": [0, 0, 1, 1]}


@dataclass(frozen=True)
class Tensor:
    """As much of the SDK's TensorData as is read."""

    data: list[float]

    def tolist(self) -> list[float]:
        return self.data


@dataclass(frozen=True)
class Datum:
    """The SDK's: what a loss takes becomes tensors."""

    model_input: list[int]
    loss_fn_inputs: dict[str, Any]

    def __post_init__(self) -> None:
        tensors = {name: Tensor(values) for name, values in self.loss_fn_inputs.items()}
        object.__setattr__(self, "loss_fn_inputs", tensors)


def done(result: Any) -> Any:
    return SimpleNamespace(result=lambda: result)


@dataclass
class Client:
    """A training client that notes the calls, and answers with a loss of 2 for each token."""

    calls: list[tuple[str, Any]] = field(default_factory=list)

    def _passed(self, data: list[Datum], loss_fn: str) -> Any:
        assert loss_fn == "cross_entropy"
        outputs = [{"logprobs": Tensor([-2.0] * len(datum.model_input))} for datum in data]
        return done(SimpleNamespace(loss_fn_outputs=outputs))

    def forward_backward(self, data: list[Datum], loss_fn: str) -> Any:
        self.calls.append(("forward_backward", [datum.model_input for datum in data]))
        return self._passed(data, loss_fn)

    def forward(self, data: list[Datum], loss_fn: str) -> Any:
        self.calls.append(("forward", len(data)))
        return self._passed(data, loss_fn)

    def optim_step(self, optim_params: Any) -> Any:
        self.calls.append(("optim_step", optim_params.learning_rate))
        return done(None)

    def get_tokenizer(self) -> Letters:
        return Letters()

    def save_weights_for_sampler(self, name: str) -> Any:
        return done(SimpleNamespace(path=f"tinker://run/sampler_weights/{name}"))


@dataclass
class Service:
    client: Client
    asked: dict[str, Any] = field(default_factory=dict)

    def create_lora_training_client(self, *, base_model: str, rank: int, seed: int) -> Any:
        self.asked |= {"base_model": base_model, "rank": rank, "seed": seed}
        return done(self.client)


def tinker(service: Service) -> Any:
    """As much of the module as the script uses."""

    def started(*, user_metadata: dict[str, str]) -> Service:
        service.asked |= user_metadata
        return service

    return SimpleNamespace(
        Datum=Datum,
        ModelInput=SimpleNamespace(from_ints=lambda ids: ids),
        AdamParams=lambda *, learning_rate: SimpleNamespace(learning_rate=learning_rate),
        ServiceClient=started,
    )


def recipe(folder: Path, **fields: Any) -> Path:
    lines = [
        {"messages": [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "y"}]} for n in range(5)
    ]
    for name in ("train", "validation"):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    written = {
        "job_id": "ftjob-1",
        "suffix": "mail",
        "base": "Qwen/Qwen3-8B",
        "method": "supervised",
        "seed": 7,
        "hyperparameters": {"n_epochs": 2, "batch_size": 2, "lora_rank": 8, "learning_rate": 0.6},
        "train": "train.jsonl",
        "validation": "validation.jsonl",
        **fields,
    }
    path = folder / "recipe.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    return path


def test_the_target_of_a_token_is_the_next_one_and_the_answer_alone_weighs() -> None:
    datum = tinker_sft.datum(tinker(Service(Client())), EXAMPLE)
    assert datum.model_input == [5, 6, 7]
    assert datum.loss_fn_inputs["target_tokens"].tolist() == [6, 7, 8]
    assert datum.loss_fn_inputs["weights"].tolist() == [0.0, 1.0, 1.0]
    assert tinker_sft.mean_loss([datum], [{"logprobs": Tensor([-9.0, -1.0, -3.0])}]) == 2.0


def test_every_example_is_learnt_once_an_epoch_in_an_order_of_the_seed() -> None:
    first = list(tinker_sft.batches(range(5), 2, 7))
    assert [len(batch) for batch in first] == [2, 2, 1]
    assert sorted(number for batch in first for number in batch) == list(range(5))
    assert first == list(tinker_sft.batches(range(5), 2, 7)) != list(tinker_sft.batches(range(5), 2, 8))


def test_a_recipe_is_carried_out_and_the_weights_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    service = Service(Client())
    weights = tinker_sft.train(recipe(tmp_path), tinker(service))
    assert service.asked == {"stillhouse_job": "ftjob-1", "base_model": "Qwen/Qwen3-8B", "rank": 8, "seed": 7}
    names = [name for name, _ in service.client.calls]
    assert names == [*["forward_backward", "optim_step"] * 3, "forward"] * 2
    rates = [rate for name, rate in service.client.calls if name == "optim_step"]
    assert rates == pytest.approx([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    told = capsys.readouterr().out.splitlines()
    assert (told[0], told[3]) == ("step 1 of 6: train_loss 2.0000", "epoch 1 of 2: valid_loss 2.0000")
    assert weights == "tinker://run/sampler_weights/mail"
    named = tinker_sft.naming({"job_id": "ftjob-1"}, weights, "Qwen/Qwen3-8B")
    assert f"stillhouse model add {weights} --base Qwen/Qwen3-8B --job ftjob-1 --url https://" in named


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"method": "dpo"}, "method is dpo"), ({"hyperparameters": {"full": True}}, "trains adapters")],
)
def test_what_tinker_does_not_do_is_refused_before_anything_is_asked(
    fields: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    service = Service(Client())
    with pytest.raises(SystemExit, match=reason):
        tinker_sft.train(recipe(tmp_path, **fields), tinker(service))
    assert service.asked == {}
