"""A tour of the API: every route once, on objects that the tour itself makes, with what was sent and answered.

The description of the API takes its examples from here, and its schemas are held against these answers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from standardwebhooks import Webhook

from foundation import aws
from foundation.ids import now
from tests.api import rows
from tests.flow import loop
from tests.flow.system import System
from tests.grading.build import JUDGE

_MOST_SHOWN = 2
_SECRET = re.compile(r"(?<=[0-9A-Z]{26}-)[0-9a-f]{40}|(?<=whsec_)[\w+/=]{44}")
_LAB = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Visit:
    """One call: the route as the description names it, what was sent, and what came back."""

    method: str
    path: str
    request: Any
    status: int
    answer: Any

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Tour:
    """Calls routes of a system and remembers each call."""

    system: System
    visits: list[Visit] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, *, query: str = "", **parameters: str) -> Any:
        """The answer of one call; `parameters` fill the path."""
        url = "/v1" + re.sub(r"{(\w+)}", lambda name: quote(parameters[name[1]], safe=":/"), path)
        status, answer = self.system.call(method, f"{url}?{query}" if query else url, body)
        self.visits.append(Visit(method, path, body, status, answer))
        return answer


def tour(system: System) -> list[Visit]:
    """Every call of the tour, in its order."""
    made = Tour(system)
    _completions(made)
    _keys_and_endpoints(made)
    _providers(made)
    _aliases(made)
    _files(made)
    _evals(made)
    _fine_tuning(made)
    _distillation(made)
    _rollouts(made)
    _health(made)
    return made.visits


def examples(visits: list[Visit]) -> dict[str, dict[str, Any]]:
    """The first successful call of each route, shortened: lists to their first items, secrets and links to zeros."""
    shown: dict[str, dict[str, Any]] = {}
    for visit in visits:
        if visit.status < 300 and visit.path != "/openapi.json":
            example = {"answer": _short(visit.answer)} if not isinstance(visit.answer, str) else {}
            if visit.request is not None and not isinstance(visit.request, bytes):
                example["request"] = _short(visit.request)
            shown.setdefault(visit.label, example)
    return dict(sorted(shown.items()))


def _short(value: Any) -> Any:
    match value:
        case dict():
            return {name: _short(inner) for name, inner in value.items()}
        case list():
            return [_short(inner) for inner in value[:_MOST_SHOWN]]
        case str():
            told = _LAB.sub("https://api.openai.com", value)
            return _SECRET.sub(lambda secret: "0" * len(secret[0]), told.partition("?X-Amz")[0].partition("?AWS")[0])
        case _:
            return value


def _completions(made: Tour) -> None:
    call = made.call
    records = [loop.record(number, split="train", tag="tour") for number in range(3)]
    batch = call("POST", "/captures", records[0])["batch_id"]
    call("POST", "/captures", records[1:])
    made.system.settle()
    call("GET", "/captures/{batch_id}", batch_id=batch)
    first, last = (records[place]["response"]["id"] for place in (0, 2))
    call("GET", "/chat/completions", query="metadata[tag]=tour&limit=2")
    call("GET", "/chat/completions/{completion_id}", completion_id=first)
    call("POST", "/chat/completions/{completion_id}", {"metadata": {"feature": "triage"}}, completion_id=first)
    call("GET", "/chat/completions/{completion_id}/messages", completion_id=first)
    correction = {"content": "billing", "note": "The invoice is meant.", "by": "ada"}
    call("POST", "/chat/completions/{completion_id}/correction", correction, completion_id=first)
    call("GET", "/chat/completions/{completion_id}/correction", completion_id=first)
    call("DELETE", "/chat/completions/{completion_id}/correction", completion_id=first)
    call("DELETE", "/chat/completions/{completion_id}", completion_id=last)
    call("GET", "/exports/completions", query="model=recorded-teacher")
    call("GET", "/usage", query="group_by=model,metadata.tag")
    saved = call("POST", "/filters", {"name": "triage", "filter": {"metadata": {"feature": "triage"}}})
    call("GET", "/filters")
    call("GET", "/filters/{filter_id}", filter_id=saved["id"])
    call("DELETE", "/filters/{filter_id}", filter_id=saved["id"])
    policy = call("POST", "/retention_policies", {"retention_days": 90, "metadata": {"feature": "triage"}})
    call("GET", "/retention_policies")
    call("GET", "/retention_policies/{policy_id}", policy_id=policy["id"])
    call("DELETE", "/retention_policies/{policy_id}", policy_id=policy["id"])
    asked = {"model": loop.STUDENT, "messages": loop.messages(1), "store": True, "metadata": {"feature": "triage"}}
    call("POST", "/chat/completions", asked)
    answered = call(
        "POST", "/responses", {"model": loop.STUDENT, "input": "Which queue?", "metadata": {"feature": "triage"}}
    )
    call("GET", "/responses/{response_id}", response_id=answered["id"])
    call("GET", "/responses/{response_id}/input_items", response_id=answered["id"])
    call("DELETE", "/responses/{response_id}", response_id=answered["id"])
    call("GET", "/models")
    call("GET", "/models/{model}", model=loop.STUDENT)
    call("GET", "/openapi.json")


def _keys_and_endpoints(made: Tour) -> None:
    call = made.call
    new = {"name": "triage", "scopes": ["infer", "capture"], "store": True, "metadata": {"feature": "triage"}}
    key = call("POST", "/keys", new)
    call("GET", "/keys")
    call("GET", "/keys/{key_id}", key_id=key["id"])
    call("DELETE", "/keys/{key_id}", key_id=key["id"])
    hook = {"name": "ci", "url": "https://example.org/hook", "event_types": ["eval.run.succeeded"]}
    endpoint = call("POST", "/webhook_endpoints", hook)
    same = {"endpoint_id": endpoint["id"]}
    call("GET", "/webhook_endpoints")
    call("GET", "/webhook_event_types")
    slack = {**hook, "type": "slack", "name": "team"}
    team = {"channel_id": call("POST", "/channels", slack)["id"]}
    call("GET", "/channels")
    call("GET", "/channels/{channel_id}", **team)
    call("POST", "/channels/{channel_id}", {"event_types": ["distillation.verdict"]}, **team)
    call("POST", "/channels/{channel_id}/test", **team)
    call("GET", "/channels/{channel_id}/deliveries", **team)
    call("DELETE", "/channels/{channel_id}", **team)
    call("POST", "/costs", {"monthly_cap_usd": None, "retire_lost_after_days": 60})
    call("GET", "/costs")
    call("GET", "/webhook_endpoints/{endpoint_id}", **same)
    call("POST", "/webhook_endpoints/{endpoint_id}", {"name": "nightly"}, **same)
    rotation = {"keep_old_secret_active_for_24_hours": True}
    call("POST", "/webhook_endpoints/{endpoint_id}/rotate_secret", rotation, **same)
    call("DELETE", "/webhook_endpoints/{endpoint_id}", **same)


def _providers(made: Tour) -> None:
    call = made.call
    terms = {"trains_others": "no", "trains_others_note": "Section 2.3 of the terms of 2026-06-01."}
    url = "https://api.example.com/v1"
    call("POST", "/providers", {"name": "example", "base_url": url, "api_key": "sk-0000", "models": ["big-1"], **terms})
    call("GET", "/providers")
    call("GET", "/providers/{name}", name="example")
    call("POST", "/providers/{name}", {"requests_per_second": 20, "concurrency": 100}, name="example")
    call("POST", "/providers/{name}", {"webhook_secret": f"whsec_{'0' * 32}"}, name="example")
    made.visits.append(_hook(made.system, "example"))
    call("POST", "/providers/{name}/test", {"model": loop.STUDENT}, name="default")
    call("DELETE", "/providers/{name}", name="example")
    call("POST", "/models", {"id": "triage-1", "base": "Qwen/Qwen3-0.6B", "url": "https://gpu.example.com/v1"})
    call("POST", "/models/{model}", {"keep": True}, model="triage-1")
    call("GET", "/deployments")
    call("DELETE", "/models/{model}", model="triage-1")


def _hook(system: System, provider: str) -> Visit:
    """A webhook of a provider, as OpenAI sends it."""
    about = {"type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-theirs"}}
    body, at = json.dumps(about), datetime.now(UTC)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(f"whsec_{'0' * 32}").sign("evt_1", at, body),
    }
    answered = system.call("POST", f"/v1/hooks/{provider}", body.encode(), key=None, headers=headers)
    return Visit("POST", "/hooks/{name}", about, *answered)


def _aliases(made: Tour) -> None:
    call = made.call
    targets = [{"model": "lab-judge", "weight": 95}, {"model": loop.STUDENT, "weight": 5}]
    asked = {"targets": targets, "sticky_by": {"metadata": "customer"}, "fallback": "lab-judge", "why": "A canary."}
    call("PUT", "/aliases/{alias}", asked, alias="quick-reply")
    call("PUT", "/aliases/{alias}", {**asked, "targets": targets[1:], "why": "All of it."}, alias="quick-reply")
    call("GET", "/aliases")
    call("GET", "/aliases/{alias}", alias="quick-reply")
    call("GET", "/aliases/{alias}/versions", alias="quick-reply")
    call("GET", "/aliases/{alias}/drift", alias="quick-reply")
    call("PUT", "/aliases/{alias}/drift", {"leave_out": ["release"]}, alias="quick-reply")
    call("POST", "/aliases/{alias}/rollback", {"why": "Worse on refunds."}, alias="quick-reply")
    call("DELETE", "/aliases/{alias}", alias="quick-reply")


def _rollouts(made: Tour) -> None:
    call = made.call
    criterion = {
        "type": "regex",
        "name": "short",
        "input": "{{ sample.output_text }}",
        "pattern": "^.{1,400}$",
    }
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    by = made.system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [criterion]})["id"]
    made.system.ok("PUT", "/v1/aliases/long-reply", {"targets": [{"model": "lab-judge"}]})
    asked = {"alias": "long-reply", "candidate": loop.STUDENT, "eval_id": by, "max_usd": 20}
    with patch("rollouts.starting.is_priced", return_value=True):
        rollout = {"rollout_id": call("POST", "/rollouts", {**asked, "stages": [0, 1, 5, 25, 100]})["id"]}
        call("GET", "/rollouts", query="alias=long-reply")
        call("GET", "/rollouts/{rollout_id}", **rollout)
        shown = loop.record(3, split="live", tag="rollout")
        shown["request"]["model"] = shown["response"]["model"] = "lab-judge"
        shown["response"]["created"] = now()
        shown["alias"] = {"name": "long-reply", "version": 1, "target": "lab-judge"}
        made.system.settle()
        made.system.ok("POST", "/v1/captures", [shown])
        made.system.settle()
        call("GET", "/rollouts/{rollout_id}/pairs", query="limit=1", **rollout)
        call("POST", "/rollouts/{rollout_id}/freeze", {"why": "A release of the application."}, **rollout)
        call("POST", "/rollouts/{rollout_id}/resume", {"max_usd": 50}, **rollout)
        call("POST", "/rollouts/{rollout_id}/cancel", {"why": "Another candidate."}, **rollout)
        call("DELETE", "/rollouts/{rollout_id}", **rollout)
        begun = made.system.ok("POST", "/v1/rollouts", {**asked, "stages": [5, 100]})["id"]
    call("POST", "/rollouts/{rollout_id}/rollback", {"why": "Complaints."}, rollout_id=begun)


def _files(made: Tour) -> None:
    call = made.call
    made.visits.append(Visit("POST", "/files", None, *_upload(made.system, form("evals", [{"item": {}}]))))
    file_id = made.visits[-1].answer["id"]
    call("POST", "/files/presigned", {"filename": "rows.jsonl", "purpose": "evals", "bytes": 5_000_000})
    call("GET", "/files")
    call("GET", "/files/{file_id}", file_id=file_id)
    call("GET", "/files/{file_id}/content", file_id=file_id)
    call("DELETE", "/files/{file_id}", file_id=file_id)


def form(purpose: str, lines: list[dict[str, Any]]) -> bytes:
    """The body of an upload of JSONL, as multipart/form-data with the boundary x."""
    content = "\n".join(json.dumps(line) for line in lines)
    head = 'Content-Disposition: form-data; name="'
    fields = [f'{head}purpose"\r\n\r\n{purpose}', f'{head}file"; filename="rows.jsonl"\r\n\r\n{content}']
    return "".join([*(f"--x\r\n{part}\r\n" for part in fields), "--x--\r\n"]).encode()


def _upload(system: System, body: bytes) -> tuple[int, Any]:
    return system.call("POST", "/v1/files", body, headers={"content-type": "multipart/form-data; boundary=x"})


def _evals(made: Tour) -> None:
    call = made.call
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    new = {"name": "triage", "data_source_config": config, "testing_criteria": [rows.CHECK, JUDGE]}
    eval_id = call("POST", "/evals", new)["id"]
    call("GET", "/evals", query="limit=1")
    call("GET", "/evals/{eval_id}", eval_id=eval_id)
    call("POST", "/evals/{eval_id}", {"metadata": {"team": "mail"}}, eval_id=eval_id)
    tags = [{"team": "mail" if number % 2 else "chat"} for number in range(12)]
    runs = [_run(made, eval_id, rows.answered(answers, tags)) for answers in ("pppppppppfff", "pppffffffppf")]
    call("GET", "/evals/{eval_id}/runs", query="limit=1", eval_id=eval_id)
    within = {"eval_id": eval_id, "run_id": runs[0]}
    call("GET", "/evals/{eval_id}/runs/{run_id}", **within)
    items = call("GET", "/evals/{eval_id}/runs/{run_id}/output_items", query="limit=2", **within)["data"]
    call("GET", "/evals/{eval_id}/runs/{run_id}/output_items/{item_id}", **within, item_id=items[0]["id"])
    call("GET", "/evals/{eval_id}/runs/{run_id}/slices", query="by=team", **within)
    call("GET", "/evals/{eval_id}/runs/{run_id}/comparison", query=f"baseline={runs[1]}", **within)
    call("GET", "/evals/{eval_id}/compared_rows", query=f"runs={runs[1]},{runs[0]}&limit=1", eval_id=eval_id)
    call("GET", "/evals/{eval_id}/power", query=f"baseline={runs[1]}&difference=0.1", eval_id=eval_id)
    labels = [{"row": number, "human": "correct"} for number in range(3)]
    source = {"type": "run", "run_id": runs[0], "labels": labels}
    asked = {"criterion": JUDGE["name"], "source": source}
    calibration = call("POST", "/evals/{eval_id}/calibrations", asked, eval_id=eval_id)
    call("GET", "/evals/{eval_id}/calibrations", eval_id=eval_id)
    known = {"eval_id": eval_id, "calibration_id": calibration["id"]}
    call("GET", "/evals/{eval_id}/calibrations/{calibration_id}", **known)
    call("POST", "/fine_tuning/alpha/graders/validate", {"grader": rows.CHECK})
    trial = {"grader": rows.CHECK, "model_sample": "pass", "item": {"reference": "pass"}}
    call("POST", "/fine_tuning/alpha/graders/run", trial)
    call(
        "POST",
        "/evals/preview",
        {"testing_criteria": [rows.CHECK], "source": {"type": "stored_completions"}, "rows": 1},
    )
    started = rows.started(made.system, eval_id, rows.answered("pf"))["id"]
    call("POST", "/evals/{eval_id}/runs/{run_id}/cancel", eval_id=eval_id, run_id=started)
    call("POST", "/evals/{eval_id}/runs/{run_id}", eval_id=eval_id, run_id=started)
    call("DELETE", "/evals/{eval_id}/runs/{run_id}", eval_id=eval_id, run_id=started)
    call("DELETE", "/evals/{eval_id}", eval_id=eval_id)


def _run(made: Tour, eval_id: str, content: list[dict[str, Any]]) -> str:
    source = {"type": "jsonl", "source": {"type": "file_content", "content": content}}
    run = made.call("POST", "/evals/{eval_id}/runs", {"name": "nightly", "data_source": source}, eval_id=eval_id)
    made.system.settle()
    return str(run["id"])


def _fine_tuning(made: Tour) -> None:
    """A job that is under way at its trainer can be paused, resumed and cancelled."""
    call, system = made.call, made.system
    lines = [{"messages": [*loop.messages(number), _answer(number)]} for number in range(12)]
    file_id = _upload(system, form("fine-tune", lines))[1]["id"]
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    new = {"model": loop.STUDENT, "training_file": file_id, "suffix": "triage", "method": method}
    job = {"job_id": call("POST", "/fine_tuning/jobs", {**new, "metadata": {"team": "mail"}})["id"]}
    system.deliver("TUNING")
    for change in ("pause", "resume", "cancel"):
        call("POST", f"/fine_tuning/jobs/{{job_id}}/{change}", **job)
    system.settle()


def _answer(number: int) -> dict[str, str]:
    return {"role": "assistant", "content": loop.LABELS[number % 3]}


def _distillation(made: Tour) -> None:
    call, system = made.call, made.system
    loop.capture(system, "tour-loop")
    new = {
        "name": "triage",
        "eval_id": loop.create_eval(system),
        "test": loop.source("test", "tour-loop"),
        "train": loop.source("train", "tour-loop"),
        "teacher": loop.TEACHER,
        "student": loop.STUDENT,
    }
    distillation_id = call("POST", "/distillations", new)["id"]
    same = {"distillation_id": distillation_id}
    system.settle()
    call("POST", "/distillations/{distillation_id}/approve", **same)
    system.settle()
    ended = call("GET", "/distillations/{distillation_id}", **same)
    call("GET", "/distillations")
    call("GET", "/verdicts/{verdict_id}", verdict_id=distillation_id)
    call("GET", "/verdicts/{verdict_id}/text", verdict_id=ended["verdict"]["id"])
    call("POST", "/verdicts/{verdict_id}/recompute", verdict_id=ended["verdict"]["id"])
    cancelled = call("POST", "/distillations/{distillation_id}/repeat", {"name": "elsewhere"}, **same)["id"]
    call("POST", "/distillations/{distillation_id}/cancel", distillation_id=cancelled)
    within = {"eval_id": ended["eval_id"]}
    call("GET", "/chat/completions/{completion_id}/grades", completion_id="chatcmpl-tour-loop-1000")
    call("GET", "/experiments")
    call("GET", "/experiments/{eval_id}", **within)
    call("GET", "/experiments/{eval_id}/difference", query=f"attempt={cancelled}&baseline={ended['id']}", **within)
    dataset, job = {"dataset_id": ended["dataset_id"]}, {"job_id": ended["job_id"]}
    call("GET", "/datasets")
    call("GET", "/datasets/{dataset_id}", **dataset)
    call("GET", "/datasets/{dataset_id}/card", **dataset)
    call("GET", "/datasets/{dataset_id}/report", **dataset)
    call("GET", "/datasets/{dataset_id}/content", **dataset)
    steps = [{"rule": "truncated"}, {"rule": "contradictions", "keep": "newest"}, {"rule": "duplicates"}]
    asked = {"source": loop.source("train", "tour-loop"), "recipe": {"steps": steps}, "dry_run": True}
    loop.capture(system, "tour-curve", train=100, test=1)
    large = {"source": loop.source("train", "tour-curve"), "recipe": {"steps": []}}
    curved = {"dataset_id": call("POST", "/datasets", large)["id"]}
    made_alone = {"dataset_id": call("POST", "/datasets", asked)["id"]}
    unwanted = call("POST", "/datasets", {**asked, "recipe": {"steps": []}})["id"]
    call("POST", "/datasets/{dataset_id}/cancel", dataset_id=unwanted)
    system.settle()
    call("GET", "/datasets/{dataset_id}/rows", query="limit=2&outcome=train", **made_alone)
    rows = call("GET", "/datasets/{dataset_id}/rows", query="limit=1&outcome=train", **made_alone)["data"]
    call("GET", "/datasets/{dataset_id}/rows/{row_id}", row_id=rows[0]["id"], **made_alone)
    call("GET", "/chat/completions/{completion_id}/datasets", completion_id=rows[0]["id"])
    call("GET", "/datasets/{dataset_id}/diff/{other_id}", **made_alone, other_id=ended["dataset_id"])
    call("DELETE", "/datasets/{dataset_id}", **made_alone)
    cheap = {"eval_id": ended["eval_id"], "student": loop.STUDENT}
    call("POST", "/datasets/{dataset_id}/learning_curves", cheap, **curved)
    call("GET", "/datasets/{dataset_id}/learning_curves", **curved)
    call("GET", "/fine_tuning/jobs/{job_id}", **job)
    call("GET", "/fine_tuning/jobs/{job_id}/events", **job)
    call("GET", "/fine_tuning/jobs/{job_id}/checkpoints", **job)
    call("GET", "/fine_tuning/jobs", query="limit=1")
    call("GET", "/fine_tuning/estimate", query="model=gpt-4.1-mini&tokens=250000&n_epochs=3")
    call("GET", "/lineage/{object_id}", query="limit=2", object_id=ended["model"])


def _health(made: Tour) -> None:
    """A message that nobody knows is a dead letter."""
    system = made.system
    aws.sqs().send_message(QueueUrl=system.queues["NOTIFY"], MessageBody="no message")
    system.settle()
    made.call("GET", "/health")
    made.call("POST", "/health/{queue}/redrive", queue="notify")
