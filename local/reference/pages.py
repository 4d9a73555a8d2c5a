"""The reference in Markdown, written from the OpenAPI document: an index, and a page a resource.

In: the document. Out: the pages by file name. A model's fields stand in a table below the route that takes or answers
it; models within it stand at the end of the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SCHEMA = "#/components/schemas/"


class Reference:
    """The pages of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        self._responses = document["components"]["responses"]
        self._operations = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        self._resources = [tag["name"] for tag in document["tags"]]

    def pages(self) -> dict[str, str]:
        """Every page by its file name."""
        every = {_file(resource): self._page(resource) for resource in self._resources}
        return {"README.md": self._index(), **every}

    def _index(self) -> str:
        lines = [
            "# API reference",
            "",
            "Written by `make reference` from what the routes declare; `GET /v1/openapi.json` answers the same as an",
            "OpenAPI 3.1 document, without a key. Every path begins with `/v1`. A key is sent as",
            "`Authorization: Bearer sk-sh-…` and needs the scope of the route; `admin` may do everything.",
            "",
            "Lists have `object: list`, `data`, `first_id`, `last_id` and `has_more`; the next page begins after",
            "`last_id`. Times are seconds UTC. Every answer has the header `x-request-id`.",
            "",
            "A POST that the SDK retries makes one object, for ten minutes after its first attempt. An",
            "`Idempotency-Key` names the object for a day, and is refused with another body. `POST /keys` alone makes",
            "a key each time.",
            "",
            "No answer has more than the 6 MB that Lambda lets through. A page ends where its items have them, and",
            "`has_more` is true. An object that has more by itself comes by a link: the answer is 303, and `location`",
            "has the JSON that would have come, for 15 minutes and without a key. OpenAI's SDK follows it.",
        ]
        for resource in self._resources:
            page = _file(resource)
            lines += ["", f"## [{resource}]({page})", "", "| route | scope | what it does |", "| --- | --- | --- |"]
            for method, path, operation in self._of(resource):
                link = f"[`{method} {path}`]({page}#{_anchor(method, path)})"
                lines += [f"| {link} | {_scope(operation)} | {operation['summary']} |"]
        lines += ["", "## Errors", "", "An error has OpenAI's shape:", "", *_fence(_ERROR), ""]
        lines += ["| status | what it means |", "| --- | --- |"]
        errors = ((status, answer) for status, answer in self._responses.items() if status >= "400")
        lines += [f"| {status} | {answer['description']} |" for status, answer in errors]
        return "\n".join(lines) + "\n"

    def _of(self, resource: str) -> list[tuple[str, str, Mapping[str, Any]]]:
        return [operation for operation in self._operations if resource in operation[2]["tags"]]

    def _page(self, resource: str) -> str:
        lines = [f"# {resource}", "", "[All routes](README.md)"]
        shown: dict[str, None] = {}
        for method, path, operation in self._of(resource):
            lines += ["", f"## {method} {path}", "", *self._operation(operation, shown)]
        inner = self._models(shown)
        return "\n".join([*lines, *(["", "## Models", *inner] if inner else [])]) + "\n"

    def _operation(self, operation: Mapping[str, Any], shown: dict[str, None]) -> Iterator[str]:
        yield f"{operation['summary']}. Scope: {_scope(operation)}."
        if "description" in operation:
            yield from ("", operation["description"])
        if parameters := operation.get("parameters"):
            yield from ("", "| parameter | where | type | meaning |", "| --- | --- | --- | --- |")
            for parameter in parameters:
                name = f"`{parameter['name']}`" + (" (required)" if parameter.get("required") else "")
                yield f"| {name} | {parameter['in']} | {self._type(parameter['schema'])} | {parameter['description']} |"
        if body := operation.get("requestBody"):
            yield from self._content("Request", body["content"], shown)
        for status, answer in operation["responses"].items():
            # What every route may answer stands on the first page.
            if status < "400" and "$ref" not in answer:
                yield from ("", f"Answer: {status}")
                for name, header in answer.get("headers", {}).items():
                    yield from ("", f"Header `{name}`: {header['description']}")
                yield from self._content("Answer", answer.get("content", {}), shown)
        yield from ("", "| error | when |", "| --- | --- |")
        for status, answer in operation["responses"].items():
            if status >= "400":
                yield f"| {status} | {self._resolved(answer)['description']} |"

    def _content(self, name: str, content: Mapping[str, Any], shown: dict[str, None]) -> Iterator[str]:
        for media, described in content.items():
            kind = "" if media == "application/json" else f", `{media}`"
            yield from ("", f"{name}{kind}: {self._type(described['schema'])}")
            for model in _models_in(described["schema"]):
                shown[model] = None
            if "example" in described:
                yield from ("", *_fence(described["example"]))

    def _models(self, shown: dict[str, None]) -> list[str]:
        """The tables of these models and of those within them, each once."""
        lines, waiting, seen = [], list(shown), set(shown)
        while waiting:
            name = waiting.pop(0)
            schema = self._schemas[name]
            lines += ["", f"### {name}", ""]
            if text := schema.get("description"):
                lines += [text.split("\n\nArgs:")[0].strip().replace("\n", " "), ""]
            lines += list(self._fields(schema))
            within = [model for model in _models_in(schema) if model not in seen]
            seen |= set(within)
            waiting += within
        return lines

    def _fields(self, schema: Mapping[str, Any]) -> Iterator[str]:
        if "properties" not in schema:
            yield self._type(schema)
            return
        required = schema.get("required", [])
        yield from ("| field | type | meaning |", "| --- | --- | --- |")
        for name, field in schema["properties"].items():
            label = f"`{name}`" + (" (required)" if name in required else "")
            text = " ".join(field.get("description", "").split()).replace("|", "\\|")
            yield f"| {label} | {self._type(field)} | {text} |"

    def _resolved(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        name = answer.get("$ref", "").rpartition("/")[2]
        return self._responses[name] if name else answer

    def _type(self, schema: Mapping[str, Any]) -> str:
        """A type in a few words, with links to models."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_SCHEMA)
            return f"[{name}](#{name.lower()})"
        for way, joint in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
            if way in schema:
                return joint.join(dict.fromkeys(self._type(part) for part in schema[way]))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return ", ".join(f"`{value}`" for value in schema["enum"])
        if schema.get("properties", {}).get("object", {}).get("const") == "list" and "data" in schema["properties"]:
            return f"page of {self._type(schema['properties']['data']['items'])}"
        kind = schema.get("type", "any value")
        if isinstance(kind, list):
            return " or ".join(kind)
        if kind == "array":
            return f"array of {self._type(schema.get('items', {}))}"
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return f"object of {self._type(schema['additionalProperties'])}"
        return str(kind)


_ERROR = {
    "error": {
        "message": "No key found with id 'key_x'.",
        "type": "invalid_request_error",
        "param": "key_id",
        "code": "not_found",
    }
}


def _models_in(schema: Any) -> list[str]:
    """The names of the models that a schema refers to."""
    text = json.dumps(schema)
    return list(dict.fromkeys(re.findall(rf'"\$ref": "{_SCHEMA}([^"]+)"', text)))


def _scope(operation: Mapping[str, Any]) -> str:
    scopes = [f"`{scope}`" for choice in operation["security"] for scope in choice["key"]]
    return " or ".join(scopes) or "none, no key is needed"


def _fence(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return ["```json", *text.splitlines(), "```"]


def _file(resource: str) -> str:
    return f"{resource.lower().replace(' ', '-')}.md"


def _anchor(method: str, path: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", f"{method} {path}".lower()).replace(" ", "-")
