"""Real recorded answers go in and come out unchanged: by export all of them, by id some of them.

Every fifth of them, and all with `--soak`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import batched
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.flow.system import System

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "zeroeval_gpt4o_vs_mini"
STARTED = 1_730_000_000
EACH = 500
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="needs ../shared/data/zeroeval_gpt4o_vs_mini"),
]


def recorded() -> Iterator[dict[str, Any]]:
    """Every answer of every model to every question, as an application would push it."""
    number = 0
    for task in ("gsm", "numersense-v2"):
        for line in (FOLDER / f"{task}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for model in ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13", "gpt-4o-mini-2024-07-18"):
                if model not in row["outputs"]:
                    continue
                number += 1
                message = {"role": "assistant", "content": row["outputs"][model], "refusal": None}
                yield {
                    "request": {"model": model, "messages": [{"role": "user", "content": row["question"]}]},
                    "response": {
                        "id": f"chatcmpl-{task}-{number}",
                        "object": "chat.completion",
                        "created": STARTED + number // 3,
                        "model": model,
                        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
                    },
                    "metadata": {"task": task, "row": str(row["id"])[:512]},
                    "reference": row["answer"],
                    "created": STARTED + number // 3,
                }


def exported(system: System, query: str = "") -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        status, page = system.call("GET", f"/v1/exports/completions?{query}{after}")
        assert status == 200
        yield from (orjson.loads(line) for line in page.splitlines())
        following = {name.lower(): value for name, value in system.headers.items()}.get("x-stillhouse-after")
        if not following:
            return
        after = f"&after={following}"


@pytest.mark.soak
def test_every_recorded_answer_comes_out_as_it_went_in(system: System, soak: bool) -> None:
    records = list(recorded())
    assert len(records) > 3000
    records = records if soak else records[::5]
    for some in batched(records, EACH, strict=False):
        body = gzip.compress(b"\n".join(orjson.dumps(pushed) for pushed in some))
        status, answer = system.call("POST", "/v1/captures", body, headers={"content-encoding": "gzip"})
        assert (status, answer["accepted"], answer["refused"]) == (202, len(some), [])
    system.settle()
    expected = {pushed["response"]["id"]: pushed for pushed in records}
    completions = {completion["response"]["id"]: completion for completion in exported(system)}
    assert completions == expected
    mini = [
        completion["response"]["id"]
        for completion in exported(system, "model=gpt-4o-mini-2024-07-18&metadata[task]=gsm")
    ]
    wanted = [
        pushed["response"]["id"]
        for pushed in records
        if "mini" in pushed["request"]["model"] and "gsm" in str(pushed["metadata"])
    ]
    assert sorted(mini) == sorted(wanted)
    for record in records[:: len(records) // 20]:
        shown = system.ok("GET", f"/v1/chat/completions/{record['response']['id']}")
        assert shown["choices"] == record["response"]["choices"]
        assert (shown["reference"], shown["metadata"]) == (record["reference"], record["metadata"])
        (message,) = system.ok("GET", f"/v1/chat/completions/{record['response']['id']}/messages")["data"]
        assert message["content"] == record["request"]["messages"][0]["content"]
