"""Carry a Promptfoo config to Stillhouse: evals, a file of rows for each, and a run for each prompt and model.

In: the config's path. Out: a report. Evals, rows and runs are recognized by a digest of their content, so importing a
config a second time changes nothing. Runs call models, which costs money: they start only if `run` is true. Criteria
that Stillhouse refuses are left out and named in the report.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

from stillhouse.capturing.recorder import MOST_PAIRS
from stillhouse.importing.evals.receiver import Receiver, Refused
from stillhouse.importing.evals.report import Report
from stillhouse.importing.promptfoo.config import Config, read
from stillhouse.importing.promptfoo.prompts import Prompt
from stillhouse.importing.promptfoo.providers import Provider
from stillhouse.importing.promptfoo.suite import Suite, suites_of
from stillhouse.wording import counted

EVAL, RUN = "promptfoo_eval", "promptfoo_run"
_CRITERION = re.compile(r"testing_criteria\[(\d+)\]")


def carry(path: Path, receiver: Receiver, *, judge: str | None, run: bool) -> Report:
    """Import the config at `path`; `judge` grades where an assert names no model. Raises Stopped."""
    config, report = read(path), Report()
    report.left += config.left
    report.changed += config.changed
    suites = suites_of(config, report, judge=judge)
    carrying = _Carrying(config, receiver, report, start=run)
    for number, suite in enumerate(suites, 1):
        name = config.name if len(suites) == 1 else f"{config.name} ({number} of {len(suites)})"
        try:
            carrying.suite(suite, name)
        except Refused as refusal:
            report.leave(f"eval “{name}”", str(refusal))
    return report


class _Carrying:
    """One import in progress: the config, where it goes, and the report that it fills."""

    def __init__(self, config: Config, receiver: Receiver, report: Report, *, start: bool) -> None:
        self._config = config
        self._receiver = receiver
        self._report = report
        self._start = start
        named = ((eval_.get("metadata") or {}, eval_) for eval_ in receiver.evals())
        self._known = {metadata[EVAL]: eval_ for metadata, eval_ in named if EVAL in metadata}

    def suite(self, suite: Suite, name: str) -> None:
        eval_ = self._eval(suite, name)
        lines = b"".join(json.dumps({"item": item}, ensure_ascii=False).encode() + b"\n" for item in suite.items)
        file_name = f"promptfoo-{hashlib.sha256(lines).hexdigest()[:16]}.jsonl"
        file_id = self._receiver.file_named(file_name)
        if file_id is None:
            file_id = self._receiver.upload(file_name, io.BytesIO(lines))
            self._report.rows += len(suite.items)
        self._report.ready.append(f"eval {eval_['id']} “{name}”: {counted(len(suite.items), 'row')} in {file_id}")
        started = {(run.get("metadata") or {}).get(RUN) for run in self._receiver.runs(eval_["id"])}
        for provider in self._config.providers:
            for prompt in self._config.prompts:
                if provider.prompts is None or prompt.label in provider.prompts:
                    self._run(eval_, provider, prompt, file_id, started)

    def _eval(self, suite: Suite, name: str) -> dict[str, Any]:
        digest = _digest([suite.criteria, suite.schema])
        if digest in self._known:
            self._report.evals_known += 1
            return self._known[digest]
        tags = dict(sorted(self._config.tags.items())[: MOST_PAIRS - 1])
        body = {
            "name": name,
            "data_source_config": {"type": "custom", "item_schema": suite.schema, "include_sample_schema": True},
            "testing_criteria": list(suite.criteria),
            "metadata": {**tags, EVAL: digest},
        }
        made = self._created(body)
        self._report.evals += 1
        return made

    def _created(self, body: dict[str, Any]) -> dict[str, Any]:
        criteria = body["testing_criteria"]
        while True:
            try:
                return self._receiver.create_eval(body)
            except Refused as refusal:
                place = _CRITERION.match(refusal.param or "")
                if not place or len(criteria) == 1:
                    raise
                dropped = criteria.pop(int(place[1]))
                self._report.leave(f"eval “{body['name']}”, {dropped['name']}", str(refusal))

    def _run(
        self, eval_: dict[str, Any], provider: Provider, prompt: Prompt, file_id: str, started: set[str | None]
    ) -> None:
        source = _source(provider, prompt, file_id)
        digest, words = _digest(source), f"{provider.label}, {prompt.label}"
        if digest in started:
            self._report.runs_known += 1
            return
        if not self._start:
            self._report.ready.append(f"  not started: {words}; --run asks {provider.model}, which costs")
            return
        body = {"name": words, "data_source": source, "metadata": {RUN: digest}}
        try:
            made = self._receiver.create_run(eval_["id"], body)
        except Refused as refusal:
            self._report.leave(f"run {words}", str(refusal))
            return
        self._report.runs += 1
        self._report.ready.append(f"  started: {words}, {made['id']}")


def _source(provider: Provider, prompt: Prompt, file_id: str) -> dict[str, Any]:
    return {
        "type": "completions",
        "source": {"type": "file_id", "id": file_id},
        "model": provider.model,
        "input_messages": {"type": "template", "template": prompt.messages},
        **({"sampling_params": provider.parameters} if provider.parameters else {}),
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
