"""An application calls aliases through the gateway while they move to other models, on the deployed stack.

One candidate sorts mail better than the model of now and is promoted. The other is as good, until what answers behind
its name is replaced in the middle of the rollout: it is rolled back, and what users got is counted. All by the command.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from openai import OpenAI

from local.stack.info import StackInfo
from tests.loopback import serving
from tests.stack import commands
from tests.stack.api import aws, fetch
from tests.stack.conftest import REPOSITORY
from tests.stack.elsewhere import PROMPT, chat

SIDES = ("stable", "candidate")
STABLE = "lab-large"
# Dated, as snapshots are called: their price is that of the name without the date.
BETTER, REPLACED = "lab-large-2026-01-01", "lab-large-2026-02-02"
AT_ONCE, A_BURST = 8, 24
MOST_BURSTS = 12
MOST_PAIRS_UNTIL_BACK = 2 * A_BURST
"""Of a candidate that fails 7 in 10 requests more, eighteen pairs mostly suffice; they come round by round."""
RIGHT = {
    "type": "string_check",
    "name": "right queue",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.metadata.queue }}",
    "operation": "eq",
}
KNOWN = {**RIGHT, "name": "as known", "reference": "{{ item.reference }}"}


def mails() -> list[dict[str, str]]:
    lines = (REPOSITORY / "examples" / "support_mail.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:120]]


def messages(mail: dict[str, str]) -> list[Any]:
    return [{"role": "system", "content": PROMPT}, {"role": "user", "content": mail["mail"]}]


def school(stack: StackInfo, model: str, *, moved: int = 0) -> None:
    """Teach the lab's model the right queue of each mail; `moved` gives each mail that of a later one instead."""
    lessons = mails()
    answers = [mail["queue"] for mail in lessons[moved:] + lessons[:moved]]
    examples = [{"messages": messages(mail), "answer": answer} for mail, answer in zip(lessons, answers, strict=True)]
    url = f"{stack.lab_url.removesuffix('/v1')}/lab/models"
    httpx.post(url, json={"id": model, "examples": examples}, timeout=120).raise_for_status()


class Application:
    """Somebody's application: it has each mail sorted by the model that an alias names, and lets it be captured."""

    def __init__(self, stack: StackInfo, alias: str, candidate: str, stages: str) -> None:
        self.stages = stages
        self.answered: Counter[str] = Counter()
        self.alias, self.candidate, self.rollout_id = alias, candidate, ""
        self._stack, self._mails = stack, cycle(mails())
        self._client = OpenAI(base_url=stack.gateway_url, api_key=stack.api_key, max_retries=5)

    def ask(self, mail: dict[str, str]) -> str:
        """Have a mail sorted; the model that answered."""
        answer = self._client.chat.completions.create(
            model=self.alias,
            messages=messages(mail),
            store=True,
            metadata={"queue": mail["queue"]},
            extra_headers={"x-conversation": uuid.uuid4().hex},
        )
        return answer.model

    def burst(self) -> None:
        """A burst of calls, some at once; it is over when the rollout has counted each, or has ended."""
        if self.rollout["ended_at"]:
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.answered.update(pool.map(self.ask, islice(self._mails, A_BURST)))
        wait(lambda: self.rollout["ended_at"] or self.is_counted, self.state)

    @property
    def is_counted(self) -> bool:
        captured = self.captured.total()
        return self.counted == captured and captured >= self.answered.total()

    @property
    def captured(self) -> Counter[str]:
        """The captured answers by model. A call that the client has repeated has several."""
        groups = fetch(self._stack, f"/usage?alias={self.alias}&group_by=model")["data"]
        return Counter({group["group"]["model"]: group["completions"] - group["failed"] for group in groups})

    def state(self) -> str:
        calls = f"{self.answered.total()} answered, {self.captured.total()} captured, {self.counted} counted"
        return f"{calls}: {json.dumps(self.rollout)}"

    @property
    def rollout(self) -> dict[str, Any]:
        return fetch(self._stack, f"/rollouts/{self.rollout_id}")

    @property
    def counted(self) -> int:
        """How many answers users got, by the rollout."""
        return sum(counts[side]["answered_users"] for counts in self.rollout["counts"] for side in SIDES)


@pytest.fixture
def user(stack: StackInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> commands.User:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return commands.at(stack, monkeypatch)


def test_a_better_model_is_promoted_and_one_that_gets_worse_is_rolled_back(
    user: commands.User, stack: StackInfo, tmp_path: Path
) -> None:
    run = uuid.uuid4().hex[:8]
    for model in (BETTER, REPLACED):
        school(stack, model)
    for alias in (f"good-{run}", f"bad-{run}"):
        user.run("alias", "set", alias, STABLE, "--sticky-header", "x-conversation")
    file = tmp_path / "eval.json"
    file.write_text(json.dumps({"name": "queues", "testing_criteria": [RIGHT, KNOWN]}))
    eval_id = user.said("eval", "create", str(file))["id"]
    good = Application(stack, f"good-{run}", BETTER, "0,100")
    bad = Application(stack, f"bad-{run}", REPLACED, "0,50,100")
    taken: list[str] = []
    with serving(chat(taken)) as url:
        events = ("--event", "rollout.promoted", "--event", "rollout.rolled_back")
        channel = user.said("channel", "add", run, *events, types=f"{url}/hook\n")["id"]
        for application in (good, bad):
            application.rollout_id = begins(user, application, eval_id)
        promoted, rolled_back = good.rollout_id, bad.rollout_id
        user.run("rollout", "freeze", promoted, "--why", "while the other one begins")
        user.run("rollout", "resume", promoted)
        wait(lambda: takes_what_lands(stack))
        in_turn(good, bad)
        wait(lambda: bad.rollout["percent"] == 50)
        assert bad.answered.keys() == {STABLE}, "in the shadow nobody gets an answer of the candidate"
        school(stack, REPLACED, moved=7)
        for _ in range(MOST_BURSTS):
            in_turn(good, bad)
        user.run("rollout", "watch", rolled_back, code=3)
        user.run("rollout", "watch", promoted)
        assert bad.ask(mails()[0]) == STABLE
        is_rolled_back(user, rolled_back, bad)
        is_promoted(user, promoted, good)
        wait(lambda: len(told_of(promoted, taken)) + len(told_of(rolled_back, taken)) >= 2)
        goes_back_and_is_deleted(user, promoted, bad, eval_id)
        wait(lambda: len(told_of(promoted, taken)) == 2)
        assert [REPLACED in text for text in told_of(rolled_back, taken)] == [True], "the notice came once"
        user.run("channel", "remove", channel)
    for application in (good, bad):
        user.run("alias", "delete", application.alias)
    assert {path for path in commands.every_command() if path[0] == "rollout"} <= user.ran


def in_turn(*applications: Application) -> None:
    """A burst of each, at the same time."""
    with ThreadPoolExecutor(len(applications)) as pool:
        list(pool.map(Application.burst, applications))


def takes_what_lands(stack: StackInfo) -> bool:
    """Whether the rule is on that brings captured objects, which a worker switches on after a start."""
    rule = boto3.client("events", **aws(stack)).describe_rule(Name=f"{stack.stack_name}-captured")
    return rule["State"] == "ENABLED"


def begins(user: commands.User, application: Application, eval_id: str) -> str:
    words = ["--eval", eval_id, "--max-usd", "20", "--stages", application.stages]
    words += ["--min-pairs", "20", "--min-minutes", "0"]
    made = user.said("rollout", "start", application.alias, application.candidate, *words)
    assert made["left_out"] == [{"name": "as known", "why": "item.reference"}]
    return str(made["id"])


def is_rolled_back(user: commands.User, rollout_id: str, application: Application) -> None:
    """By its quality, within so many pairs; what users got is counted, and the old model has all calls again."""
    found = user.said("rollout", "show", rollout_id)
    assert (found["status"], found["ended"]["gate"], found["percent"]) == ("rolled_back", "quality", 0)
    shadow, *later = found["counts"]
    assert shadow["candidate"]["answered_users"] == 0
    assert pairs_in(found["ended"]["figures"][0]) <= MOST_PAIRS_UNTIL_BACK
    got = sum(counts["candidate"]["answered_users"] for counts in later)
    assert 0 < got <= application.captured[REPLACED]
    lines = user.lines("rollout", "show", rollout_id)
    assert any(f"{later[0]['candidate']['answered_users']} of {REPLACED}" in line for line in lines)
    lost = [json.loads(line) for line in user.lines("rollout", "pairs", rollout_id, "--lost", "--json")]
    assert set(found["ended"]["pairs"]) & {pair["id"] for pair in lost}
    assert all(pair["candidate"]["item"]["status"] == "fail" for pair in lost)
    assert user.lines("alias", "show", found["alias"])[1] == f"  {STABLE} 100%"


def pairs_in(figure: str) -> int:
    """The pairs that a gate's sentence rests on."""
    return int(figure.split()[1])


def is_promoted(user: commands.User, rollout_id: str, application: Application) -> None:
    found = user.said("rollout", "show", rollout_id)
    assert (found["status"], found["percent"], found["stages"]) == ("promoted", 100, [0, 100])
    kinds = [step["kind"] for step in found["steps"]]
    assert kinds == ["started", "frozen", "resumed", "advanced", "promoted"]
    assert all(counts["pairs"] >= 20 for counts in found["counts"])
    got = [sum(counts[side]["answered_users"] for counts in found["counts"]) for side in SIDES]
    assert got[0] == application.captured[STABLE], "what users got is counted"
    assert 0 < got[1] <= application.captured[BETTER], "rounds under way at the end may be canceled"
    assert f"  {BETTER} 100%" in user.lines("alias", "show", found["alias"])
    assert rollout_id in {line.split("  ")[0] for line in user.lines("rollout", "list", "--status", "promoted")}


def goes_back_and_is_deleted(user: commands.User, promoted: str, other: Application, eval_id: str) -> None:
    """What was promoted is taken back by one command; a rollout in the shadow is canceled, and deleted."""
    assert "  a complaint" in user.lines("rollout", "rollback", promoted, "--why", "a complaint")
    again = begins(user, other, eval_id)
    assert user.lines("rollout", "cancel", again)[0].split("  ")[1].startswith("canceled")
    assert user.lines("rollout", "delete", again) == [f"deleted: {again}"]


def told_of(rollout_id: str, taken: list[str]) -> list[str]:
    return [text for text in taken if rollout_id in text]


def wait(until: Callable[[], bool], state: Callable[[], str] = str) -> None:
    """Ask until it is so, for two minutes at most; then fail with the state in words."""
    ends = time.monotonic() + 120
    while not until():
        assert time.monotonic() < ends, f"it has not come about: {state()}"
        time.sleep(0.5)
