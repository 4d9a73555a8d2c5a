"""Read Promptfoo's tests and put the defaults into each.

In: `tests` and `defaultTest`, inline or in files of YAML, JSON, JSON lines or CSV. Out: a Case for each combination of
the variables that are lists. Tests that a program generates raise Left.
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
"""Options that are read here or by the asserts that they concern, or that change no result."""
_CHANGING = frozenset({"prefix", "suffix", "transformVars", "storeOutputAs"})


@dataclass
class Case:
    """One test. `where` names it for people; `ignored` lists the keys that are not imported."""

    where: str
    variables: dict[str, Any]
    asserts: list[Any]
    options: dict[str, Any]
    metadata: dict[str, Any]
    threshold: float | None = None
    ignored: list[str] = field(default_factory=list)


def listed(entry: Any, beside: Beside) -> Iterator[dict[str, Any]]:
    """Yield the tests of an entry: itself, or those of the files that it names. Raises Left, OSError, ValueError."""
    if isinstance(entry, dict) and "path" not in entry:
        yield entry
        return
    if not isinstance(entry, str):
        raise Unmapped("tests that a program makes")
    if "://" in entry and not entry.startswith("file://"):
        raise Unmapped("tests from elsewhere")
    for path in beside.paths(entry):
        content = loaded(path)
        rows = content if isinstance(content, list) else [content]
        yield from (_of_columns(row) if path.suffix.lower() == ".csv" else row for row in rows)


def cases_of(test: dict[str, Any], default: dict[str, Any], where: str, root: Any, beside: Beside) -> Iterator[Case]:
    """Yield the cases of a test. `root` is the document that `$ref` points into.

    Raises Left; a test of an undocumented shape raises AttributeError, KeyError, TypeError or ValueError.
    """
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
            asserts=[_dereferenced(assertion, root) for assertion in asserts],
            options=options,
            metadata={**(default.get("metadata") or {}), **(test.get("metadata") or {})},
            threshold=test.get("threshold", default.get("threshold")),
            ignored=sorted(more),
        )


def _of_columns(row: dict[str, str]) -> dict[str, Any]:
    """Return the test of a CSV row: columns that begin with two underscores have a meaning, others are variables."""
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
                """A label for tables of results; it decides nothing."""
            case [name, _, _] if name.startswith("__"):
                raise Unmapped(f"the column {column}")
            case _:
                test["vars"][column] = cell
    return test


def _expected(cell: str) -> dict[str, Any]:
    """Parse a cell written as `type(threshold): value`; any other text becomes an `equals` assert."""
    match = _EXPECTED.fullmatch(cell.strip())
    if not match or match[2] not in _KINDS or (match[4] is None and match[2] not in _ALONE):
        return {"type": "equals", "value": cell.strip()}
    made: dict[str, Any] = {"type": _SHORT.get(match[1], match[1])}
    if match[3]:
        made["threshold"] = float(match[3])
    return made | ({"value": match[4].strip()} if match[4] else {})


def _variables(given: Any, beside: Beside) -> dict[str, Any]:
    held = beside.value(given) if isinstance(given, str) else given
    return {str(name): beside.of(value) for name, value in (held or {}).items()}


def _combined(variables: dict[str, Any], *, expand: bool) -> Iterator[dict[str, Any]]:
    lists = [name for name, value in variables.items() if expand and isinstance(value, list)]
    for chosen in itertools.product(*(variables[name] for name in lists)):
        yield {**variables, **dict(zip(lists, chosen, strict=True))}


def _dereferenced(assertion: Any, root: Any) -> Any:
    """Return the assert that `$ref: '#/…'` points to in the config; without a reference, the assert itself."""
    reference = assertion.get("$ref") if isinstance(assertion, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return assertion
    for step in reference.removeprefix("#/").split("/"):
        root = root.get(step) if isinstance(root, dict) else None
    return root
