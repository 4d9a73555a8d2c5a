"""What is deleted leaves no bytes behind: not on its way in, not in what was derived from it, not at the trainer.
What cannot go yet is named: by the lineage of a completion and by the answer to its deletion.
"""

from __future__ import annotations

import json
import random
import string
from contextlib import suppress
from typing import Any

import httpx
import pytest
from backports import zstd

from evals.files import File
from foundation import blobs
from tests.flow import loop
from tests.flow.system import System
from tests.hostile import acts

SECRET = "the-secret-of-alice"


def objects_with(text: str) -> list[str]:
    """The keys of all objects that hold a text, packed or not."""
    collected = []
    for key in blobs.keys(""):
        body = blobs.get(key)
        with suppress(zstd.ZstdError):
            body = zstd.decompress(body)
        if text.encode() in body:
            collected.append(key)
    return collected


def swept_later(monkeypatch: pytest.MonkeyPatch, hours: int = 2) -> None:
    with monkeypatch.context() as patched:
        acts.later(patched, hours * 3600)
        acts.sweep()


def noise(letters: int) -> str:
    return "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=letters))


def test_a_push_that_came_through_the_inbox_leaves_nothing_there(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts.stored(system, acts.record("chatcmpl-1", answer=f"{SECRET} {noise(1_500_000)}"))
    assert [key for key in objects_with(SECRET) if key.startswith("completions/")]
    system.ok("DELETE", acts.path_of("chatcmpl-1"))
    swept_later(monkeypatch)
    assert objects_with(SECRET) == []


def test_a_deleted_run_takes_the_file_of_its_inline_rows_with_it(system: System) -> None:
    row = {"item": {"reference": "yes", "text": SECRET + "t" * 250_000}, "sample": {"output_text": "yes"}}
    run = acts.graded(system, acts.new_eval(system), acts.inline(row))
    file_id = run["data_source"]["source"].get("id")
    system.ok("DELETE", f"/v1/evals/{run['eval_id']}/runs/{run['id']}")
    assert objects_with(SECRET) == []
    assert file_id not in [file["id"] for file in system.ok("GET", "/v1/files")["data"]]


def expires_in_an_hour(system: System) -> str:
    body = {"filename": "f", "purpose": "evals", "bytes": len(SECRET)}
    announced = {**body, "expires_after": {"anchor": "created_at", "seconds": 3600}}
    file = system.ok("POST", "/v1/files/presigned", announced)
    blobs.put(f"files/{file['id']}", SECRET.encode())
    return str(file["id"])


def test_an_expired_file_is_erased_by_the_sweep(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = expires_in_an_hour(system)
    swept_later(monkeypatch, hours=0)
    assert objects_with(SECRET)
    swept_later(monkeypatch)
    assert objects_with(SECRET) == []
    assert system.call("GET", f"/v1/files/{file_id}")[0] == 404


def test_an_expired_file_can_be_deleted(system: System) -> None:
    file_id = expires_in_an_hour(system)
    File.load(file_id).change({"expires_at": 1})
    assert system.call("DELETE", f"/v1/files/{file_id}")[0] == 200
    assert objects_with(SECRET) == []


def test_a_deleted_eval_takes_its_own_runs_with_it(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a distillation stay: a verdict rests on them."""
    row = {"item": {"reference": "yes", "text": SECRET}, "sample": {"output_text": "yes"}}
    run = acts.graded(system, acts.new_eval(system), acts.inline(row))
    system.ok("DELETE", f"/v1/evals/{run['eval_id']}")
    swept_later(monkeypatch)
    assert list(blobs.keys(f"runs/{run['id']}/")) == []


def test_a_file_that_was_announced_and_came_after_its_deletion_is_erased(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = system.ok("POST", "/v1/files/presigned", {"filename": "f", "purpose": "evals", "bytes": len(SECRET)})
    system.ok("DELETE", f"/v1/files/{file['id']}")
    blobs.put(f"files/{file['id']}", SECRET.encode())
    swept_later(monkeypatch)
    assert objects_with(SECRET) == []


def test_a_deletion_names_the_runs_that_graded_the_completion(system: System) -> None:
    acts.stored(system, acts.record("chatcmpl-graded"))
    source = {"type": "completions", "source": {"type": "stored_completions"}}
    run = acts.graded(system, acts.new_eval(system), source)
    graph = system.ok("GET", "/v1/lineage/chatcmpl-graded")
    assert run["id"] in [node["id"] for node in graph["nodes"]]
    answer = system.ok("DELETE", acts.path_of("chatcmpl-graded"))
    assert run["id"] in json.dumps(answer)
    after = system.ok("GET", "/v1/lineage/chatcmpl-graded")
    assert run["id"] in [node["id"] for node in after["nodes"]], "what still holds it is known after its deletion"


def distilled(system: System) -> dict[str, Any]:
    """A whole distillation."""
    loop.capture(system, "gone", train=24, test=6)
    return loop.completed(system, loop.distill(system, "gone")["id"])


def test_what_learnt_from_a_completion_is_named_and_nothing_stays_at_the_trainer(system: System) -> None:
    before = {file["id"] for file in httpx.get(f"{system.lab}/v1/files").json()["data"]}
    ended = distilled(system)
    taught = json.dumps(system.ok("DELETE", acts.path_of("chatcmpl-gone-3")))
    tested = json.dumps(system.ok("DELETE", acts.path_of("chatcmpl-gone-1003")))
    left = {file["id"] for file in httpx.get(f"{system.lab}/v1/files").json()["data"]} - before
    wrong = [
        name
        for name, holds in {
            "the dataset of a training completion": ended["dataset_id"] in taught,
            "the model that learnt it": ended["model"] in taught,
            "the test rows of a test completion": ended["test_file_id"] in tested,
            "the runs that graded it": all(run_id in tested for run_id in ended["runs"].values()),
            "no file at the trainer": not left,
        }.items()
        if not holds
    ]
    assert wrong == []
