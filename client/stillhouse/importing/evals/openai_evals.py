"""Carry OpenAI's evals to Stillhouse: definitions, rows, runs, and the grades that were given there.

In: the origin that evals are read from, and the receiver that they are written to. Out: a report. An eval or run is
imported once: the origin's id in its metadata tells that it was. Rows bring their samples and grades. By default, the
grades of criteria that ask a model are kept, and all others are computed again and compared. A criterion that
Stillhouse refuses becomes one of type `recorded`, with the grades it got.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO, cast

from stillhouse.capturing.recorder import MOST_PAIRS
from stillhouse.importing.evals.check_grades import check_grades
from stillhouse.importing.evals.definitions import asks_for_json, config, hosted_tools, named
from stillhouse.importing.evals.origin import Origin
from stillhouse.importing.evals.receiver import Receiver, Refused
from stillhouse.importing.evals.report import Report
from stillhouse.importing.evals.rows import has_output, row_of

EVAL, RUN, CREATED = "openai_eval_id", "openai_run_id", "openai_created_at"
_CRITERION = re.compile(r"testing_criteria\[(\d+)\]")
_IN_MEMORY = 4 * 1024 * 1024
_LONGEST_ORIGIN = 100_000
_NOT_ENDED = frozenset({"queued", "in_progress"})
_RESULTS = ("id", "status", "created_at", "result_counts", "per_model_usage", "per_testing_criteria_results", "error")


@dataclass(frozen=True)
class Options:
    """`grades` names the recorded grades to keep: judged, all or none. `judge` replaces a judge that is unknown here.

    `wait_s` is the number of seconds to wait for the grading before grades are compared.
    """

    grades: str = "judged"
    judge: str | None = None
    wait_s: float = 600


def carry(
    origin: Origin,
    receiver: Receiver,
    options: Options,
    *,
    show: Callable[[Report], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Carry everything over, then wait until it is graded and compare. Raises Stopped."""
    carrying = _Carrying(origin, receiver, options, show)
    carrying.all()
    check_grades(receiver, carrying.there, carrying.report, wait_s=options.wait_s, pause=pause)
    return carrying.report


class _Carrying:
    """One import in progress; `there` are the runs that are in Stillhouse."""

    def __init__(self, origin: Origin, receiver: Receiver, options: Options, show: Callable[[Report], None]) -> None:
        self.report = Report()
        self.there: list[dict[str, Any]] = []
        self._origin = origin
        self._receiver = receiver
        self._options = options
        self._show = show
        self._datasets: dict[str, str | None] = {}

    def all(self) -> None:
        known = _by_metadata(self._receiver.evals(), EVAL)
        for eval_ in self._origin.evals():
            self._eval(eval_, known.get(eval_["id"]))
        for name, why in self._origin.unread:
            self.report.leave(name, why)

    def _eval(self, eval_: dict[str, Any], here: dict[str, Any] | None) -> None:
        known: dict[str, dict[str, Any]] = {}
        if here:
            self.report.evals_known += 1
            known = _by_metadata(self._receiver.runs(here["id"]), RUN)
        else:
            try:
                here = self._created(eval_)
            except Refused as refusal:
                self.report.leave(named("eval", eval_), f"{refusal} Its runs stay with it.")
                return
            self.report.evals += 1
        self._show(self.report)
        for run in self._origin.runs(eval_["id"]):
            if run["id"] in known:
                self.report.runs_known += 1
                self.there.append(known[run["id"]])
                continue
            if run.get("status") in _NOT_ENDED:
                why = f"it is {run['status']} at its origin; import again when it has ended"
                self.report.leave(named("run", run), why)
                continue
            try:
                self._run({**run, "eval_id": eval_["id"]}, here)
            except Refused as refusal:
                self.report.leave(named("run", run), str(refusal))
            self._show(self.report)

    def _created(self, eval_: dict[str, Any]) -> dict[str, Any]:
        """Create the eval in Stillhouse. A refused criterion gets another judge, or keeps its recorded grades only."""
        criteria = [dict(criterion) for criterion in eval_.get("testing_criteria") or []]
        body = {
            "name": eval_.get("name") or eval_["id"],
            "data_source_config": config(eval_.get("data_source_config") or {}),
            "testing_criteria": criteria,
            "metadata": self._metadata(eval_, {EVAL: eval_["id"]}),
        }
        if eval_.get("made_up"):
            self.report.change(
                named("eval", eval_), "made up of the names of its grades: no definition is in the files"
            )
        while True:
            try:
                return self._receiver.create_eval(body)
            except Refused as refusal:
                place = _CRITERION.match(refusal.param or "")
                if not place or criteria[int(place[1])].get("type") == "recorded":
                    raise
                self._replace(criteria, int(place[1]), refusal, named("eval", eval_))

    def _replace(self, criteria: list[dict[str, Any]], place: int, refusal: Refused, where: str) -> None:
        refused = criteria[place]
        name = str(refused.get("name") or f"criterion {place + 1}")
        judge = self._options.judge
        if refusal.code == "model_not_found" and judge and refused.get("model") not in (None, judge):
            self.report.change(
                f"{where}, {name}", f"judged by {judge} from now on: {refused['model']} is not known here"
            )
            criteria[place] = {**refused, "model": judge}
            return
        self.report.change(f"{where}, {name}", f"has only its recorded grades: {refusal}")
        kept = {"id": refused["id"]} if refused.get("id") else {}
        criteria[place] = {"type": "recorded", "name": name, **kept, "definition": refused}

    def _run(self, run: dict[str, Any], here: dict[str, Any]) -> None:
        source = run.get("data_source") or {}
        with closing(_scratch()) as rows:
            count, outputs = self._write(run, here, rows)
            dataset = self._dataset(run, source, count)
            if not count:
                also = f"; its rows are the file {dataset}" if dataset else ""
                self.report.leave(named("run", run), f"{run.get('status')}, without output items{also}")
                return
            file_id = self._receiver.upload(f"{run['id']}.jsonl", rows)
        # Without a sample there is nothing to grade anew.
        standing = "all" if self._options.grades == "judged" and not outputs else self._options.grades
        data_source = {
            "type": "jsonl",
            "source": {"type": "file_id", "id": file_id},
            "model": run.get("model") or None,
            "recorded_grades": None if standing == "none" else standing,
            "origin": self._origin_of(run, source, dataset or file_id),
        }
        name, metadata = run.get("name") or run["id"], self._metadata(run, {RUN: run["id"]})
        body = {"name": name, "data_source": data_source, "metadata": metadata}
        self.there.append(self._receiver.create_run(here["id"], body))
        self.report.runs += 1
        self.report.rows += count
        for tool in hosted_tools(source):
            self.report.change(named("run", run), f"its results are here; {tool} is OpenAI's, to sample again without")

    def _write(self, run: dict[str, Any], here: dict[str, Any], rows: BinaryIO) -> tuple[int, int]:
        """Write a run's rows; return how many there are, and how many of them have an output to grade."""
        structured = asks_for_json(run.get("data_source") or {})
        count = outputs = 0
        for item in self._origin.items(run["eval_id"], run["id"]):
            row = row_of(item, here["testing_criteria"], self.report.notes, structured=structured)
            try:
                line = json.dumps(row, allow_nan=False, ensure_ascii=False).encode()
            except ValueError:
                self.report.notes["no JSON: left out"] += 1
                continue
            rows.write(line + b"\n")
            count += 1
            outputs += has_output(row)
        return count, outputs

    def _dataset(self, run: dict[str, Any], source: dict[str, Any], count: int) -> str | None:
        """Return the id of the file with the rows that the run was given; runs that name the same file share it."""
        fetch: Callable[[], BinaryIO | None]
        match source.get("source"):
            case {"type": "file_id", "id": str(file_id)}:
                name, fetch = f"{file_id}.jsonl", partial(self._origin.file, file_id)
            case {"type": "file_content", "content": list(given)} if given and not count:
                name, fetch = f"{run['id']}-given.jsonl", partial(_lines, given)
            case _:
                return None
        if name not in self._datasets:
            self._datasets[name] = self._receiver.file_named(name) or self._uploaded(name, fetch)
        return self._datasets[name]

    def _uploaded(self, name: str, fetch: Callable[[], BinaryIO | None]) -> str | None:
        title = f"file {name.removesuffix('.jsonl')}"
        content = fetch()
        if content is None:
            self.report.leave(title, "it is gone; the rows are those of the output items")
            return None
        with closing(content):
            try:
                return self._receiver.upload(name, content)
            except Refused as refusal:
                self.report.leave(title, str(refusal))
                return None

    def _origin_of(self, run: dict[str, Any], source: dict[str, Any], file_id: str) -> dict[str, Any]:
        """Return OpenAI's own results, and the data source with which the rows can be sampled again here."""
        again = {**source, "source": {"type": "file_id", "id": file_id}}
        kept = {"run": {name: run[name] for name in _RESULTS if run.get(name) is not None}, "data_source": again}
        if len(json.dumps(kept)) > _LONGEST_ORIGIN:
            self.report.change(named("run", run), "its data source is too large to be kept with its results")
            del kept["data_source"]
        return kept

    def _metadata(self, owner: dict[str, Any], ids: dict[str, str]) -> dict[str, str]:
        own = owner.get("metadata") or {}
        created = owner.get("created_at")
        if isinstance(created, (int, float)):
            ids = {**ids, CREATED: datetime.fromtimestamp(created, UTC).isoformat()}
        room = MOST_PAIRS - len(ids)
        if len(own) > room:
            self.report.change(str(owner["id"]), f"metadata {sorted(own)[room:]} gave way to {sorted(ids)}")
        return {**{name: str(own[name]) for name in sorted(own)[:room]}, **ids}


def _by_metadata(objects: Iterator[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {element["metadata"][name]: element for element in objects if name in (element.get("metadata") or {})}


def _scratch() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))


def _lines(given: list[dict[str, Any]]) -> BinaryIO:
    lines = _scratch()
    for row in given:
        lines.write(json.dumps(row).encode() + b"\n")
    return lines
