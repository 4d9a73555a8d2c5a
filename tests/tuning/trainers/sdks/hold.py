"""Holds recorded exchanges with Together and Fireworks against their own SDKs. Runs in `.venv-sdks`, without pytest.

In: JSON on standard input, `{"exchanges": [{"at", "method", "path", "query", "body", "status", "answer"}], "states":
{"together job": […]}}`. Out: a line for each difference, with 1 as the exit code; else what was held, and 0.

What may be asked is read off the methods of the SDK: verb and path, the arguments that go into body and query, their
types and names there. What is answered is the type that the method returns. SDKs have no types for errors, so an
answer of 400 or more is not held.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
import textwrap
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from kinds import Field, differences, differences_of_fields, fields_of

_VERBS = {"get": "GET", "get_api_list": "GET", "post": "POST", "patch": "PATCH", "put": "PUT", "delete": "DELETE"}
_RESOURCES = {
    "together": {
        "together._client": ["Together"],
        "together.resources.files": ["FilesResource"],
        "together.resources.fine_tuning": ["FineTuningResource"],
        "together.resources.endpoints.endpoints": ["EndpointsResource"],
        "together.resources.endpoints.deployments": ["DeploymentsResource"],
    },
    "fireworks": {
        "fireworks.resources.accounts": ["AccountsResource"],
        "fireworks.resources.datasets": ["DatasetsResource"],
        "fireworks.resources.supervised_fine_tuning_jobs": ["SupervisedFineTuningJobsResource"],
        "fireworks.resources.dpo_jobs": ["DpoJobsResource"],
        "fireworks.resources.deployments": ["DeploymentsResource"],
    },
}
_FIRST_REFUSAL = 400
_FIRST_REDIRECT = 300


class Operation(NamedTuple):
    """What a method of an SDK asks, and what it is answered."""

    name: str
    verb: str
    path: str
    body: dict[str, Field] | Any
    """The fields of the object, or the type of what is sent."""
    query: dict[str, Field]
    answer: Any

    def asks(self, verb: str, path: str) -> bool:
        pattern = re.sub(r"\\{\w+\\}", "[^/:]+", re.escape(self.path))
        return verb == self.verb and re.fullmatch(pattern, path) is not None


@cache
def operations(provider: str) -> list[Operation]:
    """All that the SDK asks by the methods of these resources."""
    found = []
    for module, names in _RESOURCES[provider].items():
        for name in names:
            methods = vars(getattr(importlib.import_module(module), name)).items()
            found += [_operation(method) for key, method in methods if _is_public(key, method)]
    found += _by_hand() if provider == "together" else []
    return [operation for operation in found if operation]


def _is_public(name: str, method: Any) -> bool:
    return inspect.isfunction(method) and not name.startswith("_")


def _operation(wrapped: Callable[..., Any]) -> Operation | None:
    """What a method asks, by its source; None for one that asks nothing at a path of its own."""
    method = inspect.unwrap(wrapped)
    call = next(_calls(ast.parse(textwrap.dedent(inspect.getsource(method)))), None)
    paths = [path for path in _strings(call.args[0]) if re.match(r"/v\d", path)] if call and call.args else []
    if not call or not paths:
        return None
    space = method.__globals__
    answer = method.__annotations__["return"]
    return Operation(
        method.__qualname__,
        _VERBS[call.func.attr.lstrip("_")],
        paths[0],
        _body(call, space),
        next((_arguments(value, space) for value in _keywords(call, "query") if isinstance(value, ast.Call)), {}),
        eval(answer, space) if isinstance(answer, str) else answer,  # noqa: S307 - the SDK's own annotation
    )


def _calls(tree: ast.AST) -> Iterator[Any]:
    """The calls of `self._get(…)`, `self._client.post(…)` and their like."""
    for node in ast.walk(tree):
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr.lstrip("_") in _VERBS:
            yield node


def _strings(node: ast.AST) -> list[str]:
    constants = (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant))
    return [value for value in constants if isinstance(value, str)]


def _keywords(call: ast.AST, name: str) -> Iterator[ast.expr]:
    return (node.value for node in ast.walk(call) if isinstance(node, ast.keyword) and node.arg == name)


def _body(call: ast.Call, space: dict[str, Any]) -> dict[str, Field] | Any:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "body"), None)
    if given is None:
        return {}
    if isinstance(given, ast.Call):
        return _arguments(given, space) if isinstance(given.args[0], ast.Dict) else object
    from together.lib.types.fine_tuning import FinetuneRequest

    assert ast.unparse(given) == "parameter_payload", "a body is made in a way that is not known here"
    return FinetuneRequest


def _arguments(transformed: ast.Call, space: dict[str, Any]) -> dict[str, Field]:
    """Those arguments that stand in `maybe_transform({…}, Params)`, by their names in JSON."""
    names, params = transformed.args
    assert isinstance(names, ast.Dict)
    known = fields_of(eval(ast.unparse(params), space))  # noqa: S307 - a name in the SDK's own source
    wanted = {key.value for key in names.keys if isinstance(key, ast.Constant)}
    return {name: field for name, field in known.items() if field.argument in wanted}


def _by_hand() -> list[Operation]:
    """Together's uploads, whose paths and fields are put together by hand in its SDK, too."""
    from together.lib.resources.files import UploadManager
    from together.types import FilePurpose, FileResponse, FileType

    source = textwrap.dedent(inspect.getsource(UploadManager.get_upload_url))
    form = next(node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign))
    assert isinstance(form, ast.Dict)
    assert "/{file_id}/preprocess" in inspect.getsource(UploadManager)
    kinds = {"purpose": FilePurpose, "file_type": FileType}
    fields = {name: Field(name, kinds.get(name, str), required=True) for name in _strings(ast.Tuple(form.keys))}
    return [
        Operation("UploadManager.get_upload_url", "POST", "/v1/files", fields, {}, None),
        Operation("UploadManager.callback", "POST", "/v1/files/{id}/preprocess", {}, {}, FileResponse),
    ]


def differences_in(exchange: dict[str, Any]) -> list[str]:
    """How a request and its answer differ from the method of the SDK that asks the same."""
    line = f"{exchange['method']} {exchange['path']}"
    asked = next((o for o in operations(exchange["at"]) if o.asks(exchange["method"], exchange["path"])), None)
    if asked is None:
        return [f"{line}: no method of the SDK asks this"]
    body = exchange["body"] or {}
    of_body = differences_of_fields if isinstance(asked.body, dict) else differences
    found = of_body(body, asked.body, "body") + differences_of_fields(_typed(exchange["query"]), asked.query, "query")
    if exchange["status"] < _FIRST_REDIRECT:
        found += differences(exchange["answer"], asked.answer, "answer")
    assert asked.answer is not None or exchange["status"] >= _FIRST_REDIRECT, f"{line} is answered by a redirect"
    return [f"{line} ({asked.name}): {difference}" for difference in found]


def _typed(query: dict[str, str]) -> dict[str, Any]:
    """What a query holds: booleans and numbers are spelled as in JSON."""
    return {name: json.loads(value) if value in {"true", "false"} else value for name, value in query.items()}


def states_of_the_sdks() -> dict[str, set[str]]:
    """The states of jobs and deployments that the SDKs know, by what they are called in the tests."""
    from fireworks.types import Deployment, DpoJob, SupervisedFineTuningJob
    from together.lib.types.fine_tuning import FinetuneJobStatus
    from together.types import DeploymentStatus, FinetuneResponse

    return {
        "together job": _literals(FinetuneResponse, "status") | {state.value for state in FinetuneJobStatus},
        "together deployment": _literals(DeploymentStatus, "state"),
        "fireworks job": _literals(SupervisedFineTuningJob, "state") | _literals(DpoJob, "state"),
        "fireworks deployment": _literals(Deployment, "state"),
    }


def _literals(model: Any, field: str) -> set[str]:
    """The values of a field that is a literal, or one or nothing."""
    annotation = model.model_fields[field].annotation
    inner = [typing.get_args(kind) for kind in typing.get_args(annotation)]
    return {value for values in inner for value in values} or set(typing.get_args(annotation))


def main() -> int:
    given = json.load(sys.stdin)
    found = [difference for exchange in given["exchanges"] for difference in differences_in(exchange)]
    known = states_of_the_sdks()
    for what, states in given["states"].items():
        found += [f"{what}: {state} stands in one table only" for state in sorted(known[what] ^ set(states))]
    for difference, times in Counter(found).items():
        sys.stdout.write(f"{difference} ({times} times)\n")
    refused = sum(exchange["status"] >= _FIRST_REFUSAL for exchange in given["exchanges"])
    if not found:
        sys.stdout.write(f"{len(given['exchanges'])} exchanges, {refused} of them refused: no difference\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
