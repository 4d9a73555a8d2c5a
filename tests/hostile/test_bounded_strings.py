"""Every string of a caller that enters a row or a key is bounded in bytes at the door, or what it enters is cut.
One message that cannot be recorded never fails its neighbours, and one object that cannot be swept never stops a sweep.
"""

from __future__ import annotations

import random
import string
from typing import Any

import pytest
from backports import zstd

from completions import frames
from distillations.failure import Failure
from foundation import blobs, bus
from foundation.events import DistillationFailed
from foundation.ids import derived_id
from tests.distilling import build
from tests.flow.system import System
from tests.hostile import acts
from tests.hostile.walls import Walls

DICE = random.Random(1)
LETTERS = string.ascii_letters + string.digits + "-_"


def noise(letters: int) -> str:
    """Letters that no packing makes much shorter."""
    return "".join(DICE.choices(LETTERS, k=letters))


HUGE = noise(600_000)
WIDE = "\U0001d4b3" * 256  # 256 letters, 1,024 bytes
pytestmark = pytest.mark.usefixtures("walls")


def lives(system: System, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]) -> None:
    """It is refused, naming a field; or it is recorded, listed, read, deleted and swept."""
    status, answer = acts.push(system, record)
    if status != 202:
        assert 400 <= status < 500, answer
        assert answer["error"]["param"], answer
        return
    (name,) = answer["ids"]
    assert system.ok("GET", f"/v1/captures/{answer['batch_id']}")["status"] == "recorded"
    assert system.dead("RECORD") == []
    assert name in [completion["id"] for completion in system.ok("GET", "/v1/chat/completions?limit=100")["data"]]
    assert system.call("GET", f"/v1/chat/completions/{name}")[0] == 200
    assert system.call("DELETE", f"/v1/chat/completions/{name}")[0] == 200
    acts.later(monkeypatch, 2 * 3600)
    acts.sweep()


@pytest.mark.parametrize(
    "record",
    [
        acts.record("chatcmpl-reason", choice={"finish_reason": HUGE}),
        acts.record("chatcmpl-model", response={"model": WIDE}),
        acts.record("chatcmpl-asked", request={"model": WIDE}),
        acts.record(WIDE),
        acts.record("chatcmpl-origin", origin="😀" * 64),
        acts.record("chatcmpl-tags", metadata={f"{n:02d}{'😀' * 62}": "😀" * 512 for n in range(16)}),
        acts.record("chatcmpl-provider", provider=HUGE),
        acts.record("chatcmpl-tier", response={"service_tier": HUGE, "system_fingerprint": HUGE}),
    ],
    ids=["finish_reason", "model", "request.model", "id", "origin", "metadata", "provider", "other"],
)
def test_a_long_string_is_refused_by_name_or_lives_a_whole_life(
    record: dict[str, Any], system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives(system, monkeypatch, record)


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": 1 << 63}, {"completion_tokens": (1 << 53) + 1}, {"prompt_tokens": -1}, "none", ["x"]],
    ids=["2^63", "above-2^53", "negative", "text", "list"],
)
def test_usage_that_is_no_object_of_counts_is_refused(usage: Any, shared: System) -> None:
    status, answer = acts.push(shared, acts.record("chatcmpl-used", response={"usage": usage}))
    assert status == 400, answer
    assert "usage" in (answer["error"]["param"] or "")


def test_a_message_that_cannot_be_recorded_fails_alone(system: System, walls: Walls) -> None:
    def of_the_guilty(operation: str, arguments: dict[str, Any]) -> bool:
        return operation == "BatchWriteItem" and "C#chatcmpl-guilty" in str(arguments)

    for number in range(4):
        system.ok("POST", "/v1/captures", [acts.record(f"chatcmpl-good-{number}")])
    system.ok("POST", "/v1/captures", [acts.record("chatcmpl-guilty")])
    for number in range(4, 8):
        system.ok("POST", "/v1/captures", [acts.record(f"chatcmpl-good-{number}")])
    with walls.refusing(of_the_guilty):
        assert len(acts.together(system, "RECORD")) == 1
    listed = [completion["id"] for completion in system.ok("GET", "/v1/chat/completions")["data"]]
    assert listed == [f"chatcmpl-good-{number}" for number in range(8)]


def test_references_with_long_names_fit_into_their_rows(shared: System) -> None:
    records = [
        acts.record(noise(250), response={"model": noise(250)}, request={"model": noise(250)}) for _ in range(860)
    ]
    for some in (records[:430], records[430:]):
        shared.ok("POST", "/v1/captures", some)
    assert acts.together(shared, "RECORD") == []


def begin_garbage(name: str) -> None:
    """An object that a dead recorder left, and that nobody can read."""
    key = frames.key_of(f"2026/01/01/{name}")
    frames.begin(name, key)
    blobs.put(key, b"no frame at all")


def swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that may end in an error, so that its alarm tells, once everything else is done."""
    acts.later(monkeypatch, 2 * 3600)
    try:
        acts.sweep()
    except Exception:  # noqa: BLE001 - what matters is what was done
        return


def test_an_object_that_cannot_be_repaired_stops_neither_erasure_nor_expiry(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts.stored(system, acts.record("chatcmpl-old", created=1_600_000_000), acts.record("chatcmpl-doomed"))
    system.ok("POST", "/v1/retention_policies", {"retention_days": 365, "model": "gpt-4o"})
    system.ok("DELETE", acts.path_of("chatcmpl-doomed"))
    begin_garbage("0garbage")
    swept(monkeypatch)
    assert system.call("GET", "/v1/chat/completions/chatcmpl-old")[0] == 404
    (key,) = [key for key in blobs.keys("completions/") if "garbage" not in key]
    assert frames.unpack(blobs.get(key), key) == [] or b"chatcmpl-doomed" not in b"".join(
        str(reference).encode() for reference in frames.unpack(blobs.get(key), key)
    )


def test_an_object_that_cannot_be_repaired_stops_no_other_repair(
    system: System, monkeypatch: pytest.MonkeyPatch, walls: Walls
) -> None:
    def rows(operation: str, arguments: dict[str, Any]) -> bool:
        return operation == "BatchWriteItem" and "C#chatcmpl-half" in str(arguments)

    begin_garbage("0garbage")
    with walls.refusing(rows):
        acts.push(system, acts.record("chatcmpl-half"))
    swept(monkeypatch)
    assert system.call("GET", acts.path_of("chatcmpl-half"))[0] == 200


def test_a_completion_that_cannot_be_deleted_stops_no_other_expiry(
    system: System, monkeypatch: pytest.MonkeyPatch, walls: Walls
) -> None:
    def of_the_guilty(operation: str, arguments: dict[str, Any]) -> bool:
        return operation in {"BatchWriteItem", "PutItem"} and "chatcmpl-b-guilty" in str(arguments)

    old = 1_600_000_000
    acts.stored(system, *(acts.record(f"chatcmpl-{name}", created=old) for name in ("a", "b-guilty", "c")))
    acts.stored(system, acts.record("chatcmpl-other", created=old, response={"model": "gpt-4.1"}))
    for model in ("gpt-4o", "gpt-4.1"):
        system.ok("POST", "/v1/retention_policies", {"retention_days": 365, "model": model})
    with walls.refusing(of_the_guilty):
        swept(monkeypatch)
    left = [completion["id"] for completion in system.ok("GET", "/v1/chat/completions")["data"]]
    assert left == ["chatcmpl-b-guilty"]


def test_an_object_that_is_lost_stops_no_other_erasure(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lost", "kept"):
        acts.stored(system, acts.record(f"chatcmpl-{name}"))
        system.ok("DELETE", f"/v1/chat/completions/chatcmpl-{name}")
    lost, kept = sorted(
        blobs.keys("completions/"), key=lambda key: b"chatcmpl-lost" not in zstd.decompress(blobs.get(key))
    )
    blobs.delete([lost])
    swept(monkeypatch)
    assert b"chatcmpl-kept" not in zstd.decompress(blobs.get(kept))


LONG = "n" * 450_000
AT = 1_790_000_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/evals/{eval}/runs", {"name": LONG, "data_source": acts.inline()}),
        ("/v1/evals/{eval}/runs", {"data_source": acts.inline(), "metadata": None, "name": "😀" * 110_000}),
        (
            "/v1/evals/{eval}/runs",
            {
                "data_source": {
                    "type": "completions",
                    "model": "lab-small",
                    "sampling_params": {"stop": "s" * 408_890},
                    "source": {"type": "file_content", "content": [acts.ROW]},
                }
            },
        ),
        ("/v1/evals/{eval}/runs", {"data_source": {**acts.inline(), "unread": LONG}}),
        (
            "/v1/evals/{eval}/calibrations",
            {"name": LONG, "criterion": "correct", "source": {"type": "file_content", "content": []}},
        ),
        ("/v1/filters", {"name": "f", "filter": {"model": LONG}}),
        ("/v1/filters", {"name": "f", "filter": {"metadata": {"k": LONG}}}),
        ("/v1/filters", {"name": "f", "filter": {"finish_reason_not": LONG}}),
        ("/v1/filters", {"name": "f", "filter": {"metadata": {f"k{number}": "v" for number in range(17)}}}),
        ("/v1/retention_policies", {"retention_days": 9, "model": LONG}),
        ("/v1/retention_policies", {"retention_days": 9, "model": "m" * 3000}),
    ],
    ids=[
        "run-name",
        "run-name-wide",
        "sampling_params",
        "unread-field",
        "calibration-name",
        "filter-model",
        "filter-tag",
        "filter-reason",
        "filter-of-17-tags",
        "policy-model",
        "policy-model-beyond-a-key",
    ],
)
def test_a_post_with_a_string_that_fits_no_row_is_refused(path: str, body: dict[str, Any], shared: System) -> None:
    eval_id = acts.new_eval(shared)
    if "calibrations" in path:
        body["source"]["content"] = [{**acts.ROW, "human": True}]
    status, answer = shared.call("POST", path.format(eval=eval_id), body)
    assert status in {400, 413}, (status, answer)
    assert answer["error"]["param"], answer


def test_a_condition_is_weighed_in_bytes(shared: System) -> None:
    """A letter of two bytes counts twice."""
    status, answer = shared.call("POST", "/v1/filters", {"name": "f", "filter": {"origin": "é" * 210_000}})
    assert status in {400, 413}, answer
    assert answer["error"]["param"] == "filter.origin"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("teacher", "t" * 3000),
        ("hyperparameters", {"n_epochs": 1, "note": LONG}),
        ("gate", {"group_by": LONG}),
        ("train", {"type": "stored_completions", "metadata": {"split": "train"}, "origin": LONG}),
    ],
)
def test_a_distillation_with_a_string_that_fits_no_row_is_refused(field: str, value: Any, shared: System) -> None:
    acts.stored(shared, *(build.record(n, f"q{n}", split="train", created=AT) for n in range(2)))
    body = {
        "name": "long",
        "eval_id": acts.new_eval(shared),
        "test": build.source("train"),
        "train": build.source("train"),
        "teacher": build.TEACHER,
        "student": "lab-small",
        field: value,
    }
    status, answer = shared.call("POST", "/v1/distillations", body)
    assert status in {400, 404, 413}, (status, answer)
    assert (answer["error"]["param"] or "").startswith(field), answer


def test_a_name_that_only_a_row_gives_its_model_fits_the_counts_of_its_run(system: System) -> None:
    sample = {"output_text": "yes", "model": "m" * 450_000, "usage": {"prompt_tokens": 1}}
    status, run = system.call(
        "POST",
        f"/v1/evals/{acts.new_eval(system)}/runs",
        {"data_source": acts.inline({"item": {"reference": "yes"}, "sample": sample})},
    )
    if status >= 400:
        assert status in {400, 413}, run
        return
    acts.deliver_all(system)
    assert system.ok("GET", f"/v1/evals/{run['eval_id']}/runs/{run['id']}")["status"] in acts.ENDED
    assert system.dead("GRADE") == []


def test_a_run_of_as_many_criteria_as_an_eval_takes_ends(system: System) -> None:
    criteria = [{**acts.CHECK, "name": f"c{number}", "id": f"c{number}"} for number in range(1900)]
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    status, answer = system.call("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": criteria})
    if status >= 400:
        assert status in {400, 413}, answer
        return
    assert acts.graded(system, answer["id"], acts.inline())["status"] in acts.ENDED


def test_a_long_refusal_of_a_trainer_ends_the_job_and_is_cut(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from tuning.trainers import TrainerRefused
    from tuning.trainers.openai_compatible import OpenAITrainer

    def refuse(*_: Any) -> Any:
        raise TrainerRefused("no, " * 150_000, code="refused")

    job_id = derived_id("ftjob-", "dataset_1")
    distillation = build.distillation("assembling", dataset_id="dataset_1", job_id=job_id, student="lab-small")
    dataset = build.dataset(distillation)
    for name in ("train.jsonl", "validation.jsonl", "card.json"):
        blobs.put(dataset.key(name), b"{}")
    monkeypatch.setattr(OpenAITrainer, "start", refuse)
    acts.deliver_all(system)
    assert system.dead("TUNING") == []
    ended = system.ok("GET", f"/v1/distillations/{distillation.id}")
    assert (ended["status"], acts.explained(ended["error"])) == ("failed", True)


def test_a_pause_keeps_the_beginning_of_a_long_reason(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from providers import ProviderAway
    from providers.openai_compatible import OpenAICompatible

    async def away(*_: Any, **__: Any) -> Any:
        raise ProviderAway(503, b'{"error": {"message": "' + b"w" * 500_000 + b'"}}', {}, final=False, retry_after=900)

    row = {"item": {"input": [{"role": "user", "content": "hello"}], "reference": "yes"}}
    source = {"type": "file_content", "content": [row]}
    monkeypatch.setattr(OpenAICompatible, "_ask", away)
    monkeypatch.setattr("evals.sources.require_model", lambda *_, **__: {})
    run = acts.graded(system, acts.new_eval(system), {"type": "completions", "model": "lab-small", "source": source})
    assert run["status"] == "in_progress"
    assert 0 < len(run["paused"]["reason"]) < 10_000


def test_people_are_told_of_a_failure_with_a_long_reason(system: System) -> None:
    """SNS takes 256 KB: the reason is cut where it enters, or where it is told."""
    distillation = build.distillation(
        "failed", error=Failure(code="job_failed", message="The trainer said: " + "no, " * 70_000)
    )
    bus.send(DistillationFailed(distillation_id=distillation.id))
    acts.deliver_all(system)
    assert [notice["id"] for notice in system.notifications()] == [distillation.id]


def test_a_card_that_names_every_row_fits_its_calibration(system: System) -> None:
    """As many labels as a calibration takes, each of a row that the criterion got wrong."""
    rows = 7_500
    run = acts.graded(system, acts.new_eval(system), acts.inline(*[acts.ROW] * rows))
    labels = [{"row": number, "human": False} for number in range(rows)]
    body = {"criterion": "correct", "source": {"type": "run", "run_id": run["id"], "labels": labels}}
    status, made = system.call("POST", f"/v1/evals/{run['eval_id']}/calibrations", body)
    assert status in {201, 413}, made
    if status == 201:
        assert made["status"] == "completed"
        assert system.call("GET", f"/v1/evals/{run['eval_id']}/calibrations")[0] == 200
