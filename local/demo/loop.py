"""The loop itself: create the eval, start the distillation, follow it to its end, fetch the evidence.

In: the openai client, the demo's tag, the models. Out: the distillation, its card, notification and lineage. Fails with
`GaveUp` if nothing changes for too long.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import openai
from openai import OpenAI

from distillations.report.document import DatasetReport
from local.demo.headlines import headlines
from local.demo.screen import Screen, Stage
from local.demo.waiting import Patience, until

TERMINAL = frozenset({"completed", "failed", "cancelled"})
TITLES = {
    "queued": "Distillation queued",
    "measuring": "Measuring teacher and baseline",
    "assembling": "Assembling the training set",
    "blocked": "Approved, going on",
    "training": "Fine-tuning the student",
    "choosing": "Comparing the attempts on the validation rows",
    "evaluating": "Evaluating the distilled model",
    "deciding": "Deciding",
}
ROLES = {
    "queued": ("teacher", "baseline"),
    "measuring": ("teacher", "baseline"),
    "evaluating": ("distilled",),
}

Json = dict[str, Any]


def fetch(client: OpenAI, path: str) -> Json:
    return cast("Json", client.get(path, cast_to=object))


def create_eval(client: OpenAI, name: str) -> str:
    """An eval that passes an answer which is exactly the reference."""
    made = client.evals.create(
        name=name,
        data_source_config={
            "type": "custom",
            "item_schema": {"type": "object"},
            "include_sample_schema": True,
        },
        testing_criteria=[
            {
                "type": "string_check",
                "name": "correct",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.reference }}",
                "operation": "eq",
            }
        ],
    )
    return made.id


def start(
    client: OpenAI, *, name: str, tag: str, eval_id: str, teacher: str, student: str, trainer: str, seed: int
) -> Json:
    def stored(split: str) -> Json:
        return {
            "type": "stored_completions",
            "model": teacher,
            "metadata": {"demo": tag, "split": split},
        }

    body = {
        "name": name,
        "eval_id": eval_id,
        "test": stored("test"),
        "train": stored("train"),
        "teacher": teacher,
        "student": student,
        "trainer": trainer,
        "seed": seed,
        # Public data has questions that are nearly alike; a demo goes on without those of the test rows.
        "recipe": {"seed": seed, "leaks": "drop"},
        "metadata": {"demo": tag},
    }
    return cast("Json", client.post("/distillations", body=body, cast_to=object))


def follow(
    client: OpenAI,
    distillation: Json,
    screen: Screen,
    *,
    approve: bool,
    help_along: Callable[[str], None] = lambda _: None,
) -> Json:
    """Wait until the distillation has ended, or is blocked and `approve` is false; returns it.

    While its job trains, `help_along` is called with the job's id at each look.
    """
    watch = _Watch(client, screen, help_along)
    state, approved = distillation, False
    while state["status"] not in TERMINAL:
        if state["status"] == "blocked" and not approved:
            for reason in state["plan"]["reasons"]:
                screen.say(f"  blocked: {reason}")
            if not approve:
                return state
            approved = True
            state = cast("Json", client.post(f"/distillations/{state['id']}/approve", cast_to=object))
            screen.say("  approved, since this is a demo (--no-approve stops here)")
            continue
        if state["status"] == "training" and state.get("dataset_id"):
            _tell(client, state["dataset_id"], screen)
        with screen.stage(state["status"], TITLES[state["status"]]) as stage:
            state = watch.stay(state, stage)
    return state


def _tell(client: OpenAI, dataset_id: str, screen: Screen) -> None:
    """Say what the student will train on."""
    report = DatasetReport.model_validate(fetch(client, f"/datasets/{dataset_id}/report"))
    screen.say(f"Training set {dataset_id}")
    for line in headlines(report):
        screen.say(f"  {line}")


class _Watch:
    """Looks at a distillation until its status changes, and shows what moves meanwhile."""

    def __init__(self, client: OpenAI, screen: Screen, help_along: Callable[[str], None]) -> None:
        self._client, self._screen, self._help_along = client, screen, help_along
        self._shown: set[str] = set()

    def stay(self, state: Json, stage: Stage) -> Json:
        status = state["status"]
        patience = Patience(f"{state['id']} to leave status {status}")
        while state["status"] == status:
            self._show(state, status, stage)
            patience.wait((stage.done, stage.total, len(self._shown)))
            state = fetch(self._client, f"/distillations/{state['id']}")
        self._show(state, status, stage)
        return state

    def _show(self, state: Json, status: str, stage: Stage) -> None:
        if status in ROLES:
            self._count(state, ROLES[status], stage)
        elif status == "training" and state.get("job_id"):
            self._events(state["job_id"])
            self._help_along(state["job_id"])

    def _count(self, state: Json, roles: Sequence[str], stage: Stage) -> None:
        done = total = 0
        notes = []
        for role in roles:
            run_id = state["runs"].get(role)
            if run_id is None:
                continue
            try:
                run = self._client.evals.runs.retrieve(run_id, eval_id=state["eval_id"])
            except openai.NotFoundError:
                continue
            counts = run.result_counts
            graded = counts.passed + counts.failed + counts.errored
            done, total = done + graded, total + counts.total
            notes.append(f"{role} {counts.passed:,} right of {graded:,}")
        stage.move(done, total)
        stage.say(" · ".join(notes))

    def _events(self, job_id: str) -> None:
        try:
            events = self._client.fine_tuning.jobs.list_events(job_id, limit=50).data
        except openai.NotFoundError:
            return
        for event in sorted(events, key=lambda event: event.created_at):
            if event.id not in self._shown:
                self._shown.add(event.id)
                self._screen.say(f"  trainer: {event.message}")


def notification_about(path: Path, about: str) -> Json:
    """The delivered notification whose id is `about`, as it was delivered."""

    def delivered() -> Json | None:
        # The text after the last line break may still be incomplete.
        *lines, _ = path.read_text(encoding="utf-8").split("\n") if path.exists() else [""]
        return next((note for line in lines if (note := json.loads(line)).get("id") == about), None)

    return until(f"the notification about {about}", delivered)


def lineage_of(client: OpenAI, candidates: Sequence[str]) -> Json:
    """The graph around the first completion that went into a dataset; some are dropped on the way."""
    graph: Json = {}
    for completion_id in candidates:
        graph = fetch(client, f"/lineage/{completion_id}")
        if any(node["kind"] == "dataset" for node in graph["nodes"]):
            break
    return graph
