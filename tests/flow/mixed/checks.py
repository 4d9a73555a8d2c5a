"""What must hold of a stack at rest: it has what it owes, once, and nothing else; all has ended and was told once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

import httpx

from tests.flow.mixed.model import Completion, Distillation, Model, Run
from tests.flow.mixed.pushing import MARKER, path_of
from tests.flow.mixed.receiver import Received
from tests.flow.mixed.stack import Stack

_SAMPLE = 20
_EVENTS = {"completed": "eval.run.succeeded", "failed": "eval.run.failed", "canceled": "eval.run.canceled"}
_JOB_ENDS = {"succeeded", "failed", "cancelled"}


class Checks:
    """`ends` counts by their statuses how runs and distillations ended."""

    def __init__(self, stack: Stack, model: Model, received: Received) -> None:
        self._stack, self._model, self._received = stack, model, received
        self.ends: Counter[str] = Counter()

    def all(self) -> None:
        self.dead_letters()
        self.completions()
        self.usage()
        self.runs()
        self.distillations()
        self.objects()

    # -------------------------------------------------------------- messages

    def dead_letters(self) -> None:
        """Only messages that are none lie there."""
        dead = self._stack.dead_letters()
        bodies = [body for bodies in dead.values() for body in bodies]
        assert set(bodies) == self._model.poison, dead
        self.ends["dead letters"] += len(bodies)

    # -------------------------------------------------------------- completions

    def completions(self) -> None:
        """Export, lists and ids say the same, and it is what was acknowledged."""
        exported, listed = list(self._exported()), list(self._listed())
        by_marker = {marker: line for line in exported if (marker := _marker(line["request"]["messages"]))}
        times = Counter(_marker(line["request"]["messages"]) for line in exported)
        assert not [marker for marker, count in times.items() if count > 1 and marker], times.most_common(3)
        owed = {completion.marker for completion in self._model.of_fate("kept")}
        optional = {completion.marker for completion in self._model.of_fate("either")}
        there = by_marker.keys()
        lost = owed - there
        assert not lost, [self._model.completions[marker] for marker in sorted(lost)[:3]]
        assert not there - owed - optional, [
            self._model.completions.get(m) for m in sorted(there - owed - optional)[:3]
        ]
        ids = Counter(completion["id"] for completion in listed)
        assert max(ids.values(), default=1) == 1, ids.most_common(3)
        assert ids.keys() == {self._model.completions[marker].id for marker in there}
        for marker in there:
            _check_line(self._model.completions[marker], by_marker[marker])
        self._check_ids(there)

    def _check_ids(self, there: Collection[str]) -> None:
        kept = [self._model.completions[marker] for marker in there]
        chosen = self._stack.dice.sample(kept, min(_SAMPLE, len(kept)))
        for completion in [*chosen, *(completion for completion in kept if completion.odd)]:
            read = self._stack.ok("GET", path_of(completion.id))
            assert read["id"] == completion.id
            [*_, message] = self._stack.ok("GET", f"{path_of(completion.id)}/messages")["data"]
            assert f"[m{completion.marker}]" in message["content"]
        gone = [completion for completion in self._model.completions.values() if completion.marker not in there]
        for completion in self._stack.dice.sample(gone, min(_SAMPLE, len(gone))):
            if completion.fate == "deleted":
                assert self._stack.ask("GET", path_of(completion.id))[0] == 404, completion

    def _exported(self) -> Iterator[dict[str, Any]]:
        after = ""
        while True:
            body = self._stack.ok("GET", f"/v1/exports/completions?{after}")
            yield from (json.loads(line) for line in (body or "").split("\n") if line)
            if not (last := self._stack.system.headers.get("x-stillhouse-after")):
                return
            after = f"after={quote(last, safe='')}"

    def _listed(self) -> Iterator[dict[str, Any]]:
        after = ""
        while True:
            page = self._stack.ok("GET", f"/v1/chat/completions?limit=100{after}")
            yield from page["data"]
            if not page["has_more"]:
                return
            after = f"&after={quote(page['last_id'], safe='')}"

    def usage(self) -> None:
        """Counted is everything that was recorded, also what was deleted since; what is hostile is not compared."""
        groups = self._stack.ok("GET", "/v1/usage?group_by=model&metadata_not[kind]=odd")["data"]
        counted = {group["group"]["model"]: group for group in groups}
        plain = [completion for completion in self._model.completions.values() if not completion.odd]
        for model in {completion.model for completion in plain}:
            own = [completion for completion in plain if completion.model == model]
            certain = [completion for completion in own if not completion.doubted]
            assert len(certain) <= counted[model]["completions"] <= len(own), (model, counted[model], len(own))
            if model != "lab-small":
                assert counted[model]["prompt_tokens"] == sum(completion.prompt_tokens for completion in own), counted[
                    model
                ]

    # -------------------------------------------------------------- runs

    def runs(self) -> None:
        """Every run has ended, with its exact counts where they are known, and was told once."""
        by_object: dict[str, set[str]] = {}
        for event_type, object_id in self._received.events.values():
            by_object.setdefault(object_id, set()).add(event_type)
        for run in self._model.runs.values():
            events = by_object.get(run.id, set())
            assert len(events) <= 1, (run, events)
            status, shown, _ = self._stack.ask("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")
            if run.deleted or not self._model.evals[run.eval_id]:
                assert status == 404, (run, shown)
                assert run.deleted or len(events) == 1, (run, events)
                self.ends["runs deleted"] += 1
                continue
            assert status == 200, (run, shown)
            self._check_run(run, shown)
            assert events == {_EVENTS[shown["status"]]}, (run, shown["status"], events)
            self.ends[f"runs {shown['status']}"] += 1

    def _check_run(self, run: Run, shown: dict[str, Any]) -> None:
        assert shown["status"] in _EVENTS, shown
        counts = shown["result_counts"]
        if shown["status"] == "completed":
            assert counts["total"] == counts["passed"] + counts["failed"] + counts["errored"], shown
            if run.rows is not None:
                expected = {"total": run.rows, "passed": run.passed, "failed": run.rows - run.passed, "errored": 0}
                assert counts == expected, (run, counts)
            items = self._stack.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}/output_items?limit=100")["data"]
            assert len({item["id"] for item in items}) == len(items) == counts["total"]
        elif shown["status"] == "canceled":
            assert run.canceled, shown
        else:
            # Its file, or its completions, were gone when they were to be read.
            assert run.rows is None or self._model.files.get(run.file_id) is False, shown
            assert len(shown["error"]["message"]) > 10

    # -------------------------------------------------------------- distillations

    def distillations(self) -> None:
        notified = self._stack.notified()
        notices: dict[str, Counter[str]] = {}
        for note in {(note["type"], note["id"], note["distillation_id"]) for note in notified}:
            notices.setdefault(note[2], Counter())[note[0]] += 1
        for distillation in self._model.distillations.values():
            shown = self._stack.ok("GET", f"/v1/distillations/{distillation.id}")
            assert shown["status"] in {"completed", "failed", "cancelled"}, shown
            assert shown["status"] == "completed" or distillation.disturbed, shown
            self.ends[f"distillations {shown['status']}"] += 1
            self._check_told(shown, notices.get(distillation.id, Counter()))
            self._check_job(distillation, shown)
            self._check_runs_of(shown)

    def _check_told(self, shown: dict[str, Any], counts: Counter[str]) -> None:
        blocked = int("blocked" in [step["status"] for step in shown["history"]])
        assert counts["blocked"] == blocked, (shown["history"], counts)
        # A verdict may have been told in the moment of the cancellation.
        decided = shown["status"] == "cancelled" and "deciding" in [step["status"] for step in shown["history"]]
        assert counts["verdict"] == (shown["status"] == "completed") or decided, (shown["status"], counts)
        assert counts["failed"] == (shown["status"] == "failed"), (shown["status"], counts)
        own = [kind for kind, object_id in self._received.events.values() if object_id == shown["id"]]
        assert {f"distillation.{kind}": count for kind, count in counts.items() if count} == Counter(own), (counts, own)

    def _check_job(self, distillation: Distillation, shown: dict[str, Any]) -> None:
        """One job at the trainer for each that started one; at most one that it no longer knows of after a cancel."""
        if shown["job_id"] is None:
            return
        query = f"metadata[stillhouse_intent]={shown['job_id']}"
        jobs = httpx.get(f"{self._stack.system.lab}/v1/fine_tuning/jobs?{query}").json()["data"]
        status, job, _ = self._stack.ask("GET", f"/v1/fine_tuning/jobs/{shown['job_id']}")
        started = status == 200 and job["provider_job_id"] is not None
        assert len(jobs) == 1 if started else len(jobs) <= 1, (distillation, jobs)
        assert all(job["status"] in _JOB_ENDS for job in jobs), jobs
        assert status == 404 or job["status"] in _JOB_ENDS, job
        self.ends["jobs"] += len(jobs)

    def _check_runs_of(self, shown: dict[str, Any]) -> None:
        for run_id in shown["runs"].values():
            status, run, _ = self._stack.ask("GET", f"/v1/evals/{shown['eval_id']}/runs/{run_id}")
            assert status == 404 or run["status"] in _EVENTS, run

    # -------------------------------------------------------------- files and evals

    def objects(self) -> None:
        """What was deleted is gone for its id and for the list, and the rest is there."""
        for path, most, owed in (("evals", 100, self._model.evals), ("files", 10_000, self._model.files)):
            listed = {entry["id"] for entry in self._stack.ok("GET", f"/v1/{path}?limit={most}")["data"]}
            for object_id, is_there in owed.items():
                assert self._stack.ask("GET", f"/v1/{path}/{object_id}")[0] == (200 if is_there else 404), object_id
                assert (object_id in listed) == is_there or len(listed) == most, object_id


def _marker(messages: list[dict[str, Any]]) -> str | None:
    message = MARKER.search(str(messages[-1].get("content")))
    return message[1] if message else None


def _check_line(completion: Completion, line: dict[str, Any]) -> None:
    """An exported line is the record as it was pushed, with the tags that it was given since."""
    if completion.record is not None:
        given = {**completion.record, "metadata": completion.tags}
        answer = {**given["response"], "id": line["response"]["id"]}
        assert line == {**given, "response": answer}, (completion, line)
    elif not completion.odd:
        assert (line["response"]["id"], line["metadata"]) == (completion.id, completion.tags)
