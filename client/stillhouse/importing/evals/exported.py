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
    """What the files say of a run's output items: where they lie, and the names of their grades."""

    eval_id: str | None = None
    files: dict[str, None] = field(default_factory=dict)
    grades: set[str] = field(default_factory=set)


class ExportedOrigin:
    """What lies in the files, by eval and run; only the evals named in `wanted`, where there are any.

    They are read once for what there is, and again for each run's items.
    """

    def __init__(self, path: Path, wanted: frozenset[str] = frozenset()) -> None:
        self._wanted = wanted
        self._folder = LocalFolder(path)
        self._unread: dict[str, str] = {}
        self._evals: dict[str, dict[str, Any]] = {}
        self._runs: dict[str, dict[str, Any]] = {}
        self._items: dict[str, _Found] = {}
        for name in self._folder.names(None):
            for found in self._objects(name):
                self._sort(found, name)
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
        yield from (one for name, one in self._evals.items() if not self._wanted or name in self._wanted)

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]:
        of_it = [run for run in self._runs.values() if run["eval_id"] == eval_id]
        yield from sorted(of_it, key=lambda run: run.get("created_at") or 0)

    def items(self, eval_id: str, run_id: str) -> Iterator[dict[str, Any]]:
        del eval_id
        seen: set[Any] = set()
        for name in self._items[run_id].files if run_id in self._items else ():
            for found in self._objects(name):
                item = _output_item(found)
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
        """The objects of a file: its lines or elements, or all of it, and the elements of lists."""
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
        with closing(rows(self._folder.open(name))) as found:
            number_and_first = next(found, None)
            if number_and_first is None:
                return
            if not isinstance(number_and_first[1], Unmapped):
                yield number_and_first[1]
                yield from (row for _, row in found)
                return
        # One document over many lines.
        body = (self._folder.root / name).read_bytes()
        yield json.loads(gzip.decompress(body) if body[:2] == _GZIP else body)

    def _sort(self, found: Any, name: str) -> None:
        item = _output_item(found)
        match found:
            case _ if item:
                known = self._items.setdefault(item["run_id"], _Found(item.get("eval_id")))
                known.files[name] = None
                known.grades.update(str(result.get("name")) for result in item.get("results") or [])
            case {"object": "eval", "id": str(eval_id)}:
                self._evals[eval_id] = found
            case {"object": "eval.run", "id": str(run_id)}:
                self._runs[run_id] = found
            case {"item": dict()}:
                """A row of an uploaded file, which a run may name."""
            case _:
                self._unread[name] = "holds something that is no eval, run, output item or row"

    def _eval_of(self, run: dict[str, Any]) -> str:
        """The eval of a run, made up where its definition is not here."""
        known = self._items.get(run["id"], _Found())
        eval_id = run.get("eval_id") or known.eval_id
        if not eval_id:
            fitting = [one for one, held in self._evals.items() if known.grades <= _names(held)]
            eval_id = fitting[0] if len(fitting) == 1 else _stem(next(iter(known.files), run["id"]))
        eval_ = self._evals.setdefault(eval_id, _made_up(eval_id))
        if eval_.get("made_up"):
            new = sorted(known.grades - _names(eval_))
            eval_["testing_criteria"] += [{"type": "recorded", "name": name} for name in new]
        return str(eval_id)


def _output_item(found: Any) -> dict[str, Any] | None:
    match found:
        case {"object": "eval.run.output_item", "run_id": str()}:
            return dict(found)
        case {"run_id": str(), "item": dict()} if "grades" in found or "passes" in found:
            return _of_the_dashboard(found)
        case _:
            return None


def _of_the_dashboard(line: dict[str, Any]) -> dict[str, Any]:
    """An output item as the API would give it. A grade that was exported without pass or fail has `passed` null."""
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
    """By which its criteria may be called."""
    return {str(one[field]) for one in eval_.get("testing_criteria") or [] for field in ("name", "id") if field in one}


def _made_up(eval_id: str) -> dict[str, Any]:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    return {"id": eval_id, "name": eval_id, "made_up": True, "data_source_config": config, "testing_criteria": []}
