"""OpenAI's Evals and Files APIs as an importer reads them, in memory and in pages; and the objects they give.

Shapes: the examples of OpenAI's OpenAPI document.
"""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

LABEL = {
    "type": "string_check",
    "id": "Match-a2486074-d803-4445-b431-ad2262e85d47",
    "name": "Match",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.label }}",
    "operation": "eq",
}
JUDGE = {
    "type": "label_model",
    "id": "Judged-0b9d1f4c-4b43-4a0e-9d0b-0c9b6f2b3f11",
    "name": "Judged",
    "model": "lab-judge",
    "input": [
        {
            "type": "message",
            "role": "developer",
            "content": {"type": "input_text", "text": "Is {{ sample.output_text }} right?"},
        }
    ],
    "labels": ["right", "wrong"],
    "passing_labels": ["right"],
}


def eval_(*criteria: dict[str, Any], number: int = 1, **fields: Any) -> dict[str, Any]:
    item = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}
    properties = {"item": item, "sample": {"type": "object"}}
    return {
        "object": "eval",
        "id": f"eval_{number}",
        "name": "Tickets",
        "created_at": 1739314509,
        "data_source_config": {
            "type": "custom",
            "schema": {"type": "object", "properties": properties, "required": ["item", "sample"]},
        },
        "testing_criteria": list(criteria or (LABEL, JUDGE)),
        "metadata": {"team": "mail"},
        **fields,
    }


def run(*, number: int = 1, of: str = "eval_1", **fields: Any) -> dict[str, Any]:
    source = {"type": "file_id", "id": f"file-{number}"}
    template = [{"role": "user", "content": "Label {{ item.text }}"}]
    return {
        "object": "eval.run",
        "id": f"evalrun_{number}",
        "eval_id": of,
        "name": f"gpt-4o-mini {number}",
        "model": "gpt-4o-mini",
        "status": "completed",
        "created_at": 1743092069,
        "report_url": "https://platform.openai.com/evaluations/x",
        "data_source": {
            "type": "completions",
            "source": source,
            "model": "gpt-4o-mini",
            "input_messages": {"type": "template", "template": template},
            "sampling_params": {"temperature": 0},
        },
        "result_counts": {"total": 3, "errored": 0, "failed": 1, "passed": 2},
        "per_model_usage": [],
        "per_testing_criteria_results": [],
        "error": None,
        "metadata": {},
        **fields,
    }


def item(
    place: int, text: str | None = "Hardware", *, label: str = "Hardware", of: str = "evalrun_1", **fields: Any
) -> dict[str, Any]:
    """An output item whose grades are those that the criteria deserve."""
    sample = {
        "input": [{"role": "user", "content": "Label my monitor", "tool_calls": None}],
        "output": [{"role": "assistant", "content": text, "tool_calls": None, "function_call": None}],
        "finish_reason": "stop",
        "model": "gpt-4o-mini-2024-07-18",
        "usage": {"total_tokens": 10, "completion_tokens": 2, "prompt_tokens": 8, "cached_tokens": 0},
        "error": None,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": 42,
        "max_completion_tokens": None,
    }
    right = text == label
    return {
        "object": "eval.run.output_item",
        "id": f"outputitem_{of}_{place}",
        "run_id": of,
        "eval_id": "eval_1",
        "created_at": 1743092076,
        "status": "pass" if right else "fail",
        "datasource_item_id": place,
        "datasource_item": {"text": "my monitor", "label": label},
        "results": [
            {"name": LABEL["id"], "sample": None, "passed": right, "score": float(right)},
            {"name": JUDGE["id"], "sample": {"error": None, "output": []}, "passed": True, "score": 1.0},
        ],
        "sample": sample,
        **fields,
    }


class OpenAIEvals:
    """What a project holds; `asked` are the paths in the order in which they were read."""

    def __init__(self) -> None:
        self.evals: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.released = threading.Event()

    def holds(self, entity: dict[str, Any], *items: dict[str, Any], content: bytes | None = None) -> None:
        """Add a run with its output items, and what its file holds."""
        self.runs.append(entity)
        self.items[entity["id"]] = list(items)
        if content is not None:
            self.files[entity["data_source"]["source"]["id"]] = content

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> Any:
        del body
        assert method == "GET", "nothing is changed at OpenAI"
        assert headers["authorization"] == "Bearer sk-openai"
        parts = urlsplit(path)
        self.asked.append(parts.path)
        match parts.path.split("/")[2:]:
            case ["evals"]:
                return self._page(self.evals, parts.query)
            case ["evals", eval_id, "runs"]:
                return self._page([run for run in self.runs if run["eval_id"] == eval_id], parts.query)
            case ["evals", _, "runs", run_id, "output_items"]:
                return self._page(self.items[run_id], parts.query)
            case ["files", file_id, "content"] if file_id in self.files:
                return 200, "application/octet-stream", [self.files[file_id]]
            case _:
                return self._json({"error": {"message": "No such File object", "type": "x", "code": None}}, 404)

    def _page(self, every: list[dict[str, Any]], query: str) -> Any:
        asked = parse_qs(query)
        assert asked["order"] == ["asc"]
        ids = [entity["id"] for entity in every]
        begin = ids.index(asked["after"][0]) + 1 if "after" in asked else 0
        end = begin + min(int(asked["limit"][0]), 100)
        return self._json({"object": "list", "data": every[begin:end], "has_more": end < len(every)})

    @staticmethod
    def _json(document: Any, status: int = 200) -> Any:
        return status, "application/json", [json.dumps(document).encode()]
