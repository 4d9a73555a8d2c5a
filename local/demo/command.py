"""The `stillhouse demo` command: the steps in their order, and the exit code.

0: the loop came to a verdict, whatever it is. 1: it did not, and one line says why. 3: blocked, not approved.
"""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import openai
from openai import OpenAI
from rich.console import Console
from rich.markup import escape

from distillations.dataset import DatasetCard
from distillations.distillation import Distillation
from local.demo import loop, report, traffic, trainers
from local.demo.lab import Lab
from local.demo.plan import Options, Plan, make_plan
from local.demo.screen import Screen
from local.demo.trainer import Surroundings, Trainer
from local.demo.waiting import DemoFailed
from local.samples.rows import BadRows
from local.stack.errors import StackError
from local.stack.info import StackInfo

GATEWAY_ROWS = 36
LINEAGE_TRIES = 20
PIPE_WIDTH = 130
BLOCKED = 3


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One run of the demo against one stack."""

    options: Options
    plan: Plan
    screen: Screen
    client: OpenAI
    gateway: OpenAI
    lab: Lab
    trainer: Trainer
    notifications: Path
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def run(self) -> tuple[dict[str, Any], report.Report, str | None]:
        """The distillation as it ended, the report, and the completion whose lineage it has."""
        known_at = self.trainer.prepare()
        self._prepare_teacher()
        train_ids = self._capture()
        if (missing := known_at - time.monotonic()) > 0:
            with self.screen.stage("provider", "Waiting until every function knows the provider"):
                time.sleep(missing)
        eval_id = loop.create_eval(self.client, f"{self.plan.about}: the answer is the reference")
        state = loop.start(
            self.client,
            name=f"{self.plan.about}, {self.trainer.student}",
            tag=self.tag,
            eval_id=eval_id,
            teacher=self.plan.teacher,
            student=self.trainer.student,
            trainer=self.options.trainer,
            seed=self.options.seed,
        )
        state = loop.follow(self.client, state, self.screen, approve=self.options.approve, help_along=self.trainer.help)
        return self._evidence(state, train_ids)

    def _prepare_teacher(self) -> None:
        plan, teacher = self.plan, self.plan.teacher
        if plan.recorded:
            with self.screen.stage("recordings", "Loading recorded answers", len(plan.recorded)) as stage:
                self.lab.load_recordings(plan.recorded, stage.advance)
        if plan.schooling:
            with self.screen.stage("schooling", f"Schooling {teacher} at the lab") as stage:
                stage.say(f"{len(plan.schooling):,} rows with their references, none of them captured")
                self.lab.school(teacher, plan.schooling)

    def _capture(self) -> list[str]:
        """Capture every row; the train completions' ids, those through the gateway first."""
        teacher, plan, stage_of = self.plan.teacher, self.plan, self.screen.stage
        through, pushed = plan.train[:GATEWAY_ROWS], plan.train[GATEWAY_ROWS:]
        with stage_of("answers", f"{teacher} answers", len(pushed) + len(plan.test)) as stage:
            answers = self.lab.answers(teacher, [*pushed, *plan.test], stage.advance)
        with stage_of("push", "Pushing completions", len(answers)) as stage:
            batches, pushed_ids = traffic.push(self.client, answers, self.tag, stage.advance)
        with stage_of("gateway", "Calling through the gateway", len(through)) as stage:
            gateway_ids = traffic.call_gateway(self.gateway, teacher, through, self.tag, stage.advance)
        with stage_of("recording", "Waiting until all are readable", len(batches)) as stage:
            traffic.wait_recorded(self.client, batches, stage.advance)
            traffic.wait_listed(self.client, gateway_ids, self.tag)
        return [*gateway_ids, *pushed_ids[: len(pushed)]]

    def _evidence(
        self, state: dict[str, Any], train_ids: list[str]
    ) -> tuple[dict[str, Any], report.Report, str | None]:
        verdict = state["verdict"]
        about = verdict["id"] if verdict else state["id"]
        notification = lineage = completion = None
        if state["status"] != "cancelled":
            with self.screen.stage("notification", "Waiting for the notification"):
                notification = loop.notification_about(self.notifications, about)
        if verdict:
            with self.screen.stage("lineage", "Walking the lineage"):
                lineage = loop.lineage_of(self.client, train_ids[:LINEAGE_TRIES])
            completion = lineage["id"]
        seconds = {**self.screen.seconds, "total": self.screen.elapsed()}
        made = report.Report(
            distillation=Distillation.model_validate(state),
            card=self._card(state["dataset_id"]),
            notification=notification,
            lineage=lineage,
            seconds=seconds,
        )
        return state, made, completion

    def _card(self, dataset_id: str | None) -> DatasetCard | None:
        """The card of the training set; None if the loop ended before there was one, or there could be none."""
        if dataset_id is None:
            return None
        try:
            return DatasetCard.model_validate(loop.fetch(self.client, f"/datasets/{dataset_id}/card"))
        except openai.NotFoundError:
            return None


def run(options: Options, console: Console | None = None) -> int:
    console = console or Console()
    if not console.is_terminal:
        # A file or a pipe has no width; tables need one.
        console.width = PIPE_WIDTH
    try:
        return _run(options, console)
    except (BadRows, DemoFailed, StackError, OSError) as error:
        message = str(error)
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        message = f"{error} (the stack's logs are under .local/logs)"
    console.print(f"[red]error:[/red] {escape(message)}", soft_wrap=True, highlight=False)
    return 1


def _run(options: Options, console: Console) -> int:
    trainer = trainers.chosen(options.trainer)
    plan = make_plan(options)
    with ExitStack() as ending, Screen(console) as screen:
        _introduce(screen, options, plan)
        with screen.stage("stack", "The local stack") as stage:
            stack = _stack_up(stage.say, ending, keep=options.keep)
        client = OpenAI(base_url=stack.api_url, api_key=stack.api_key)
        around = Surroundings(
            client=client,
            lab_url=stack.lab_url,
            fakes_url=stack.fakes_url,
            endpoint_url=stack.endpoint_url,
            student=options.student,
            say=screen.say,
        )
        demo = Demo(
            options=options,
            plan=plan,
            screen=screen,
            client=client,
            gateway=OpenAI(base_url=stack.gateway_url, api_key=stack.api_key),
            lab=Lab(stack.lab_url),
            trainer=trainer(around),
            notifications=Path(stack.notifications),
        )
        state, made, completion = demo.run()
    if options.keep:
        made = replace(made, look=(stack.pages_url, stack.api_key))
    if options.json_out:
        options.json_out.write_text(json.dumps(made.document(), indent=2) + "\n", encoding="utf-8")
    report.show(console, made, completion)
    return _ending(state)


def _stack_up(say: Callable[[str], None], ending: ExitStack, *, keep: bool) -> StackInfo:
    # Imported here: it needs the emulator's tools, and tests of the demo run without a stack.
    from local.stack import control

    if not keep and control.running() is None:
        ending.callback(control.down)
    return control.ensure_up(say)


def _introduce(screen: Screen, options: Options, plan: Plan) -> None:
    screen.say(f"Task: {plan.task}. {len(plan.train):,} rows to train on, {len(plan.test):,} to test on.")
    screen.say(f"Teacher {plan.teacher}, student {options.student}.")
    if plan.schooling:
        schooled = f"{len(plan.schooling):,} other rows with their references"
        screen.say(f"The lab schools the teacher on {schooled}; these are not captured.")


def _ending(state: dict[str, Any]) -> int:
    if state["status"] == "blocked":
        return BLOCKED
    if state["status"] == "completed":
        return 0
    error = state.get("error") or {}
    raise DemoFailed(f"the distillation {state['status']}: {error.get('message', 'no reason given')}")
