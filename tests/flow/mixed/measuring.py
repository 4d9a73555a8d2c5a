"""Actors that measure: evals, runs over rows of every kind, files, distillations, and who ends or deletes them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.flow import loop
from tests.flow.mixed import hostile
from tests.flow.mixed.model import Distillation, Group, Model, Run
from tests.flow.mixed.pushing import APPS, Pushing
from tests.flow.mixed.stack import Stack

_CRITERION = {
    "type": "string_check",
    "name": "correct",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
_JUDGE = {
    "type": "score_model",
    "name": "alike",
    "model": "lab-judge",
    "input": [
        {"role": "user", "content": "Reference: {{ item.reference }}\nAnswer: {{ sample.output_text }}\nScore it."}
    ],
    "pass_threshold": 0.5,
}
_TERMINAL = {"completed", "failed", "cancelled"}
_MOST_OPEN = 4


class Measuring:
    """Has the stack and what it owes."""

    def __init__(self, stack: Stack, model: Model, pushing: Pushing) -> None:
        self._stack, self._model, self._pushing, self._dice = stack, model, pushing, stack.dice
        self._numbers = count(1)

    # -------------------------------------------------------------- evals and runs

    def eval(self, *criteria: dict[str, Any]) -> str:
        config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
        name = f"eval {next(self._numbers)}"
        body = {"name": name, "data_source_config": config, "testing_criteria": list(criteria or (_CRITERION,))}
        eval_id = str(self._stack.ok("POST", "/v1/evals", body)["id"])
        self._model.evals[eval_id] = True
        return eval_id

    def _some_eval(self) -> str:
        there = [eval_id for eval_id, is_there in self._model.evals.items() if is_there]
        return self._dice.choice(there) if len(there) > 3 else self.eval()

    def _start(self, eval_id: str, source: dict[str, Any], **known: Any) -> None:
        body = {"name": f"run {next(self._numbers)}", "data_source": source}
        status, answer, _ = self._stack.ask("POST", f"/v1/evals/{eval_id}/runs", body)
        if status == 400 and answer["error"]["code"] == "no_rows":
            return
        assert status == 201, (status, answer)
        self._model.runs[answer["id"]] = Run(answer["id"], eval_id, **known)

    def run_inline(self) -> None:
        """Rows with their samples, of which it is known which pass."""
        rows = [self._row() for _ in range(self._dice.choice([3, 8, 60]))]
        source = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
        self._start(self._some_eval(), source, rows=len(rows), passed=_passing(rows))

    def _row(self) -> dict[str, Any]:
        right, given = self._dice.choice(loop.LABELS), self._dice.choice(loop.LABELS)
        return {"item": {"reference": right, "n": next(self._numbers)}, "sample": {"output_text": given}}

    def run_of_file(self) -> None:
        """The same from an uploaded file, which somebody may delete at once."""
        rows = [self._row() for _ in range(7)]
        file_id = self._upload(rows)
        source = {"type": "jsonl", "source": {"type": "file_id", "id": file_id}}
        self._start(self._some_eval(), source, file_id=file_id, rows=len(rows), passed=_passing(rows))
        if self._dice.random() < 0.3:
            self.delete_file(file_id)

    def _upload(self, rows: list[dict[str, Any]]) -> str:
        content = b"\n".join(json.dumps(row).encode() for row in rows)
        parts = (
            b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n'
            + content
            + b"\r\n--x--\r\n"
        )
        headers = {"content-type": "multipart/form-data; boundary=x"}
        file_id = str(self._stack.ok("POST", "/v1/files", parts, headers)["id"])
        self._model.files[file_id] = True
        return file_id

    def delete_file(self, file_id: str = "") -> None:
        there = [file_id] if file_id else [name for name, is_there in self._model.files.items() if is_there]
        if not there:
            return
        chosen = self._dice.choice(there)
        status, answer, repeated = self._stack.ask("DELETE", f"/v1/files/{chosen}")
        assert status == 200 or (status == 404 and repeated), (status, answer)
        self._model.files[chosen] = False

    def run_of_stored(self) -> None:
        """Stored completions, as the teacher answered or answered again by the student; at times judged."""
        judged = self._dice.random() < 0.3
        odd = self._dice.random() < 0.2
        tags = hostile.TAG if odd else {"app": self._dice.choice(APPS)}
        source: dict[str, Any] = {
            "type": "completions",
            "source": {"type": "stored_completions", "metadata": tags, "limit": 12},
        }
        if self._dice.random() < 0.5:
            source["model"] = loop.STUDENT
            source["input_messages"] = {"type": "item_reference", "item_reference": "item.input"}
        self._start(self.eval(_CRITERION, _JUDGE) if judged else self._some_eval(), source, odd=odd)

    def cancel_run(self) -> None:
        run = self._some_run()
        if run:
            status, answer, _ = self._stack.ask("POST", f"/v1/evals/{run.eval_id}/runs/{run.id}/cancel")
            assert status in {200, 409}, (status, answer)
            run.canceled |= status == 200

    def delete_run(self) -> None:
        run = self._some_run()
        if run:
            status, answer, repeated = self._stack.ask("DELETE", f"/v1/evals/{run.eval_id}/runs/{run.id}")
            assert status == 200 or (status == 404 and repeated), (status, answer)
            run.deleted = True

    def delete_eval(self) -> None:
        """Any, at any time; one that an open distillation needs is refused."""
        there = [eval_id for eval_id, is_there in self._model.evals.items() if is_there]
        if not there:
            return
        eval_id = self._dice.choice(there)
        status, answer, repeated = self._stack.ask("DELETE", f"/v1/evals/{eval_id}")
        assert status in {200, 409} or (status == 404 and repeated), (status, answer)
        if status == 409:
            assert answer["error"]["code"] in {"eval_in_use", "run_in_use"}
            self._stack.counts["deletions refused while needed"] += 1
            return
        self._model.evals[eval_id] = False
        for run in self._model.runs_of(eval_id):
            run.canceled = True

    def _some_run(self) -> Run | None:
        choices = [run for run in self._model.runs.values() if not run.deleted and self._model.evals.get(run.eval_id)]
        return self._dice.choice(choices) if choices else None

    # -------------------------------------------------------------- distillations

    def distil(self) -> None:
        """Push what a distillation is made of, or start the one whose completions are recorded by now."""
        ready = [group for group in self._model.groups if self._readable(group)]
        if ready:
            self._model.groups.remove(ready[0])
            self._start_distillation(ready[0].tag)
        elif len(self._model.groups) + len(self._open()) < _MOST_OPEN:
            tag = f"d{next(self._numbers)}"
            self._model.groups.append(Group(tag, [self._pushing.group(tag, train=24, test=6)]))

    def start_all(self) -> None:
        """Start those whose completions have been pushed."""
        while self._model.groups:
            self._start_distillation(self._model.groups.pop().tag)

    def _readable(self, group: Group) -> bool:
        return all(self._stack.ok("GET", f"/v1/captures/{batch}")["status"] == "recorded" for batch in group.batches)

    def _start_distillation(self, tag: str) -> None:
        eval_id = self.eval()
        body = {
            "name": tag,
            "eval_id": eval_id,
            "test": loop.source("test", tag),
            "train": loop.source("train", tag),
            "teacher": loop.TEACHER,
            "student": loop.STUDENT,
            # The test set is tiny: who expects much is not blocked.
            "gate": {"expected_gain": 0.9} if self._dice.random() < 0.7 else {},
        }
        answer = self._stack.ok("POST", "/v1/distillations", body)
        self._model.distillations[answer["id"]] = Distillation(answer["id"], tag, eval_id)

    def decide(self) -> None:
        """Approve what is blocked, as somebody does sooner or later; cancel one in ten, whatever it is at."""
        for distillation in self._open():
            status = self._stack.ok("GET", f"/v1/distillations/{distillation.id}")["status"]
            if status not in _TERMINAL and self._dice.random() < 0.1:
                self.cancel(distillation)
            elif status == "blocked":
                answered, answer, repeated = self._stack.ask("POST", f"/v1/distillations/{distillation.id}/approve")
                assert answered == 200 or (answered == 409 and repeated), answer

    def cancel(self, distillation: Distillation) -> None:
        status, answer, _ = self._stack.ask("POST", f"/v1/distillations/{distillation.id}/cancel")
        assert status in {200, 409}, (status, answer)
        distillation.disturbed = True

    def _open(self) -> list[Distillation]:
        """Those that nobody has seen ended."""
        return [distillation for distillation in self._model.distillations.values() if not self._ended(distillation.id)]

    def _ended(self, distillation_id: str) -> bool:
        return self._stack.ok("GET", f"/v1/distillations/{distillation_id}")["status"] in _TERMINAL

    def end_blocked(self) -> bool:
        """Approve or cancel all that waits for people; whether anything did."""
        blocked = [waiting for waiting in self._open() if self._status(waiting.id) == "blocked"]
        for distillation in blocked:
            if self._dice.random() < 0.5:
                self._stack.ok("POST", f"/v1/distillations/{distillation.id}/approve")
            else:
                self.cancel(distillation)
        return bool(blocked)

    def _status(self, distillation_id: str) -> str:
        return str(self._stack.ok("GET", f"/v1/distillations/{distillation_id}")["status"])


def _passing(rows: list[dict[str, Any]]) -> int:
    return sum(row["item"]["reference"] == row["sample"]["output_text"] for row in rows)
