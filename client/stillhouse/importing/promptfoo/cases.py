"""Promptfoo's tests, with the defaults put into each.

In: `tests` and `defaultTest`, inline or in files of YAML, JSON, JSON lines or CSV. Out: Cases, one for each combination
of variables that are lists. What a program makes raises Left.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stillhouse.importing.promptfoo.files import Beside, loaded
from stillhouse.importing.source import Unmapped

_EXPECTED = re.compile(
    r"(?s)((?:not-)?([a-z][a-z-]*(?::(?:cosine|dot|euclidean))?))(?:\((\d*\.?\d+)\))?\s*(?::\s*(.*))?"
)
_SHORT = {"grade": "llm-rubric", "fn": "javascript", "eval": "javascript"}
_ALONE = frozenset({"is-json", "contains-json", "is-html", "contains-html", "is-sql", "contains-sql", "is-xml",
                    "contains-xml", "is-refusal", "is-valid-openai-tools-call"})  # fmt: skip
_KINDS = _ALONE | _SHORT.keys() | {
    "answer-relevance", "bleu", "classifier", "contains", "contains-all", "contains-any", "context-faithfulness",
    "context-recall", "context-relevance", "cost", "equals", "factuality", "finish-reason", "g-eval", "gleu",
    "icontains", "icontains-all", "icontains-any", "javascript", "latency", "levenshtein", "llm-rubric", "meteor",
    "model-graded-closedqa", "model-graded-factuality", "moderation", "perplexity", "perplexity-score", "pi",
    "python", "regex", "rouge-n", "ruby", "similar", "similar:cosine", "similar:dot", "similar:euclidean",
    "starts-with", "tool-call-f1", "webhook", "word-count",
}  # fmt: skip
_CARRIED = frozenset({"assert", "description", "metadata", "options", "threshold", "vars"})
_CARRIED_OPTIONS = frozenset(
    {
        "disableConversationVar", "disableDefaultAsserts", "disableVarExpansion", "factuality", "postprocess",
        "provider", "rubricPrompt", "runSerially", "transform",
    }
)  # fmt: skip
"""Heeded here, by the asserts that they concern, or of no consequence."""
_CHANGING = frozenset({"prefix", "suffix", "transformVars", "storeOutputAs"})


@dataclass
class Case:
    """One test. `where` says which, for people; `ignored` what of it does not count here."""

    where: str
    variables: dict[str, Any]
    asserts: list[Any]
    options: dict[str, Any]
    metadata: dict[str, Any]
    threshold: float | None = None
    ignored: list[str] = field(default_factory=list)


def listed(one: Any, beside: Beside) -> Iterator[dict[str, Any]]:
    """The tests of an entry, which may be a file of them. Raises Left, OSError, ValueError."""
    if isinstance(one, dict) and "path" not in one:
        yield one
        return
    if not isinstance(one, str):
        raise Unmapped("tests that a program makes")
    if "://" in one and not one.startswith("file://"):
        raise Unmapped("tests from elsewhere")
    for path in beside.paths(one):
        found = loaded(path)
        rows = found if isinstance(found, list) else [found]
        yield from (_of_columns(row) if path.suffix.lower() == ".csv" else row for row in rows)


def cases_of(test: dict[str, Any], default: dict[str, Any], where: str, root: Any, beside: Beside) -> Iterator[Case]:
    """Raises Left, and what a test of another shape makes Python raise. `root` is what `$ref` looks into."""
    options = {**(default.get("options") or {}), **(test.get("options") or {})}
    for name in sorted(options.keys() & _CHANGING):
        raise Unmapped(f"options.{name}")
    more = (test.keys() | default.keys()) - _CARRIED | {f"options.{name}" for name in options.keys() - _CARRIED_OPTIONS}
    asserts = [] if options.get("disableDefaultAsserts") else [*(default.get("assert") or [])]
    asserts += test.get("assert") or []
    variables = {**_variables(default.get("vars"), beside), **_variables(test.get("vars"), beside)}
    for combined in _combined(variables, expand=not options.get("disableVarExpansion")):
        yield Case(
            where=f"{where} “{test['description']}”" if test.get("description") else where,
            variables=combined,
            asserts=[_dereferenced(one, root) for one in asserts],
            options=options,
            metadata={**(default.get("metadata") or {}), **(test.get("metadata") or {})},
            threshold=test.get("threshold", default.get("threshold")),
            ignored=sorted(more),
        )


def _of_columns(row: dict[str, str]) -> dict[str, Any]:
    """A row of a table: variables, and columns of another meaning, which begin with two underscores."""
    test: dict[str, Any] = {"vars": {}, "assert": [], "metadata": {}}
    for column, cell in row.items():
        match column.partition(":"):
            case [name, _, _] if name.startswith("__expected"):
                test["assert"] += [_expected(cell)] if cell.strip() else []
            case ["__metadata", ":", name]:
                test["metadata"][name.removesuffix("[]")] = cell
            case ["__threshold", _, _]:
                test["threshold"] = float(cell) if cell.strip() else None
            case ["__description", _, _]:
                test["description"] = cell
            case ["__metric", _, _]:
                """How a table of results calls it."""
            case [name, _, _] if name.startswith("__"):
                raise Unmapped(f"the column {column}")
            case _:
                test["vars"][column] = cell
    return test


def _expected(cell: str) -> dict[str, Any]:
    """The assert that a cell writes as `type(threshold): value`; any other text is to be equalled."""
    found = _EXPECTED.fullmatch(cell.strip())
    if not found or found[2] not in _KINDS or (found[4] is None and found[2] not in _ALONE):
        return {"type": "equals", "value": cell.strip()}
    made: dict[str, Any] = {"type": _SHORT.get(found[1], found[1])}
    if found[3]:
        made["threshold"] = float(found[3])
    return made | ({"value": found[4].strip()} if found[4] else {})


def _variables(given: Any, beside: Beside) -> dict[str, Any]:
    held = beside.value(given) if isinstance(given, str) else given
    return {str(name): beside.of(value) for name, value in (held or {}).items()}


def _combined(variables: dict[str, Any], *, expand: bool) -> Iterator[dict[str, Any]]:
    lists = [name for name, value in variables.items() if expand and isinstance(value, list)]
    for chosen in itertools.product(*(variables[name] for name in lists)):
        yield {**variables, **dict(zip(lists, chosen, strict=True))}


def _dereferenced(one: Any, root: Any) -> Any:
    """An assert that stands elsewhere in the config, by `$ref: '#/…'`."""
    reference = one.get("$ref") if isinstance(one, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return one
    for step in reference.removeprefix("#/").split("/"):
        root = root.get(step) if isinstance(root, dict) else None
    return root
