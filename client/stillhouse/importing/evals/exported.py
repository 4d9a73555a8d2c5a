"""Files that came from OpenAI's evals: saved answers of its API, and what its dashboard exports.

In: a file, or a folder of JSON and JSON lines, gzip'd or not. Objects are told apart by `object`: evals, runs, output
items, and lists of these. The dashboard's `eval_items_*.jsonl` has no definitions, only lines `{run_id, item,
data_source_idx, sample?, grades, passes?, grader_samples?}`: such a run belongs to the eval of the folder that has
these criteria, else to one made up of the grades' names. That shape is known from promptfoo's importer (its pull
request 9305). An uploaded file is found by its name, `file-….jsonl`. Out: what the API would give; rows stay on disk.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from stillhouse.importing.files import LocalFolder, rows
from stillhouse.importing.source import Unmapped
from stillhouse.importing.stopped import Stopped

_ITEM = "eval.run.output_item"
_GZIP = b"\x1f\x8b"


@dataclass
class _Found:
    """A run's output items in the files: which files hold them, and the names of their grades."""

    eval_id: str | None = None
    files: dict[str, None] = field(default_factory=dict)
    grades: set[str] = field(default_factory=set)


class ExportedOrigin:
    """The evals and runs of the files; if `wanted` is not empty, only the evals with these ids.

    All files are read once to list evals and runs. The files of a run are read again for its items.
    """

    def __init__(self, path: Path, wanted: frozenset[str] = frozenset()) -> None:
        self._wanted = wanted
        self._folder = LocalFolder(path)
        self._unread: dict[str, str] = {}
        self._evals: dict[str, dict[str, Any]] = {}
        self._runs: dict[str, dict[str, Any]] = {}
        self._items: dict[str, _Found] = {}
        for name in self._folder.names(None):
            for document in self._objects(name):
                self._sort(document, name)
        for run_id in self._items:
            self._runs.setdefault(run_id, {"id": run_id, "name": run_id, "status": "completed"})
        for run in self._runs.values():
            run["eval_id"] = self._eval_of(run)
        if not self._evals:
            raise Stopped(f"{path}: no eval, run or output item lies here")

    @property
    def unread(self) -> list[tuple[str, str]]:
        return list(self._unread.items())

    def evals(self) -> Iterator[dict[str, Any]]:
        yield from (eval_ for eval_id, eval_ in self._evals.items() if not self._wanted or eval_id in self._wanted)

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]:
        of_it = [run for run in self._runs.values() if run["eval_id"] == eval_id]
        yield from sorted(of_it, key=lambda run: run.get("created_at") or 0)

    def items(self, eval_id: str, run_id: str) -> Iterator[dict[str, Any]]:
        del eval_id
        seen: set[Any] = set()
        for name in self._items[run_id].files if run_id in self._items else ():
            for document in self._objects(name):
                item = _output_item(document)
                if not item or item["run_id"] != run_id:
                    continue
                place = item.get("datasource_item_id")
                key = item.get("id") if place is None else place
                # A page may have been saved twice.
                if key is None or key not in seen:
                    seen.add(key)
                    yield item

    def file(self, file_id: str) -> BinaryIO | None:
        fitting = (name for name in self._folder.names(None) if _stem(name) == file_id)
        name = next(fitting, None)
        return None if name is None else self._folder.open(name)

    def _objects(self, name: str) -> Iterator[Any]:
        """Yield the objects of a file: each line of JSON lines, or its one document; a list gives its elements."""
        try:
            for document in self._documents(name):
                match document:
                    case {"object": "list", "data": list(elements)}:
                        yield from elements
                    case _:
                        yield document
        except (OSError, EOFError, ValueError, RecursionError) as error:
            raise Stopped(f"{name} cannot be read to its end ({type(error).__name__})") from None

    def _documents(self, name: str) -> Iterator[Any]:
        with closing(rows(self._folder.open(name))) as numbered_rows:
            number_and_first = next(numbered_rows, None)
            if number_and_first is None:
                return
            if not isinstance(number_and_first[1], Unmapped):
                yield number_and_first[1]
                yield from (row for _, row in numbered_rows)
                return
        # One document over many lines.
        body = (self._folder.root / name).read_bytes()
        yield json.loads(gzip.decompress(body) if body[:2] == _GZIP else body)

    def _sort(self, document: Any, name: str) -> None:
        item = _output_item(document)
        match document:
            case _ if item:
                known = self._items.setdefault(item["run_id"], _Found(item.get("eval_id")))
                known.files[name] = None
                known.grades.update(str(result.get("name")) for result in item.get("results") or [])
            case {"object": "eval", "id": str(eval_id)}:
                self._evals[eval_id] = document
            case {"object": "eval.run", "id": str(run_id)}:
                self._runs[run_id] = document
            case {"item": dict()}:
                """A row of an uploaded file; it is read when a run names the file."""
            case _:
                self._unread[name] = "holds something that is no eval, run, output item or row"

    def _eval_of(self, run: dict[str, Any]) -> str:
        """Return the id of a run's eval; an eval without a definition in the files is made up."""
        known = self._items.get(run["id"], _Found())
        eval_id = run.get("eval_id") or known.eval_id
        if not eval_id:
            fitting = [name for name, eval_ in self._evals.items() if known.grades <= _names(eval_)]
            eval_id = fitting[0] if len(fitting) == 1 else _stem(next(iter(known.files), run["id"]))
        eval_ = self._evals.setdefault(eval_id, _made_up(eval_id))
        if eval_.get("made_up"):
            new = sorted(known.grades - _names(eval_))
            eval_["testing_criteria"] += [{"type": "recorded", "name": name} for name in new]
        return str(eval_id)


def _output_item(document: Any) -> dict[str, Any] | None:
    match document:
        case {"object": "eval.run.output_item", "run_id": str()}:
            return dict(document)
        case {"run_id": str(), "item": dict()} if "grades" in document or "passes" in document:
            return _of_the_dashboard(document)
        case _:
            return None


def _of_the_dashboard(line: dict[str, Any]) -> dict[str, Any]:
    """Convert a line of the dashboard to the API's output item. A grade without pass or fail has `passed` null."""
    passes, samples = line.get("passes") or {}, line.get("grader_samples") or {}
    grades = {**dict.fromkeys(passes), **(line.get("grades") or {})}
    sample = line.get("sample")
    return {
        "object": _ITEM,
        "run_id": line["run_id"],
        "eval_id": line.get("eval_id"),
        "datasource_item_id": line.get("data_source_idx"),
        "datasource_item": line["item"],
        "results": [
            {"name": name, "passed": passes.get(name), "score": score, "sample": samples.get(name)}
            for name, score in grades.items()
        ],
        "sample": sample
        and {
            **sample,
            "input": sample.get("trajectory"),
            "output": sample.get("outputs"),
            "model": sample.get("sampled_model_name"),
            "usage": sample.get("token_usage"),
        },
    }


def _stem(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]


def _names(eval_: dict[str, Any]) -> set[str]:
    """Return the names and ids of the eval's criteria: a grade may use either."""
    return {
        str(criterion[field])
        for criterion in eval_.get("testing_criteria") or []
        for field in ("name", "id")
        if field in criterion
    }


def _made_up(eval_id: str) -> dict[str, Any]:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    return {"id": eval_id, "name": eval_id, "made_up": True, "data_source_config": config, "testing_criteria": []}
