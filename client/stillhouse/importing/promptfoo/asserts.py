"""Promptfoo's asserts as checks, one function a family.

In: an assert of a test, and what its test and the command line say of judges. Out: a Check. An assert that has no exact
counterpart raises Left with the reason. A weight of 0 makes an assert a mere measure, which is no criterion.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stillhouse.importing.promptfoo import judges, pythons, templates
from stillhouse.importing.promptfoo.files import Beside, yaml_of
from stillhouse.importing.promptfoo.parts import OUTPUT, Check, Part, Value, together
from stillhouse.importing.promptfoo.providers import grader_of, model_of
from stillhouse.importing.source import Left, Unmapped

_START, _END = "\x02", "\x03"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_SIMILAR = 0.75
_DISTANCE = 5
_OVERLAPS = {"rouge-n": ("rouge_1", 0.75), "bleu": ("bleu", 0.5), "gleu": ("gleu", 0.5), "meteor": ("meteor", 0.5)}
_MOST_SHOWN = 60


@dataclass
class Context:
    """What surrounds an assert: files, the test's options, the judge where none is named, what was asked."""

    beside: Beside
    options: dict[str, Any] = field(default_factory=dict)
    judge: str | None = None
    task: str | None = None
    notes: list[str] = field(default_factory=list)


def checks_of(asserts: Sequence[Any], context: Context, leave: Callable[[str, str], None]) -> list[Check]:
    """The checks of a test; `leave` hears of every assert that has none."""
    found: list[Check] = []
    for one in asserts:
        kind = str(one.get("type")) if isinstance(one, dict) else "assert"
        try:
            found += _checks(one, context, leave)
        except Left as left:
            leave(kind, left.reason)
        except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
            leave(kind, f"it is not of the documented shape ({type(error).__name__})")
    return found


def _checks(one: dict[str, Any], context: Context, leave: Callable[[str, str], None]) -> list[Check]:
    weight = one.get("weight", 1)
    if weight == 0:
        raise Unmapped("weight 0: it measures and decides nothing")
    if one["type"] != "assert-set":
        return [_check(one, context)]
    parts = checks_of(one["assert"], context, leave)
    if len(parts) < len(one["assert"]):
        raise Unmapped("a set that is not whole without the asserts that were left out")
    if one.get("threshold") is None:
        return parts
    return [together(parts, _name(one), one["threshold"], weight)]


def _check(one: dict[str, Any], context: Context) -> Check:
    if one.get("transform") or context.options.get("transform"):
        raise Unmapped("its output is transformed by a script first")
    kind, inverse = str(one["type"]), False
    if kind.startswith("not-"):
        kind, inverse = kind.removeprefix("not-"), True
    family = _FAMILIES.get(kind)
    if family is None:
        raise Unmapped("Stillhouse has no such criterion")
    made = family(kind, one, context)
    for value in made.values:
        templates.converted(value.text)
    if not inverse:
        return Check(_name(one), made.signature, made.build, made.values, one.get("weight", 1))

    def build(values: Sequence[str]) -> Part:
        return made.build(values).inverted()

    return Check(_name(one), f"not {made.signature}", build, made.values, one.get("weight", 1))


def _name(one: dict[str, Any]) -> str:
    metric = one.get("metric")
    return metric if isinstance(metric, str) and metric and "{{" not in metric else str(one["type"])


def _made(
    signature: Sequence[Any], build: Callable[[Sequence[str]], Part], *values: str, in_row: bool = False
) -> Check:
    held = tuple(Value(value, in_row) for value in values)
    return Check("", json.dumps([*signature, len(values)], sort_keys=True), build, held)


def _text(one: dict[str, Any], context: Context) -> str:
    """The value as text; that of a file, where it names one."""
    value = context.beside.of(one.get("value"))
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if not isinstance(value, str) or not value:
        raise Unmapped("a value that is no text")
    return value


def _equals(kind: str, one: dict[str, Any], context: Context) -> Check:
    value = context.beside.of(one.get("value"))
    if one.get("normalizeUnicode"):
        raise Unmapped("normalizeUnicode")
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
        if "{{" in text:
            raise Unmapped("an object with {{ in it")
        return _made(
            ("json", kind), lambda values: Part([{"type": "json_match", "reference": values[0]}], threshold=1), text
        )
    return _made((kind,), lambda values: Part([_compared("eq", OUTPUT, values[0])]), _text({"value": value}, context))


def _contains(kind: str, one: dict[str, Any], context: Context) -> Check:
    operation = "ilike" if kind.startswith("icontains") else "like"
    if not kind.endswith(("-all", "-any")):
        text = _text(one, context)
        return _made((kind,), lambda values: Part([_compared(operation, OUTPUT, values[0])]), text)
    given = one.get("value")
    listed = next(csv.reader([given], skipinitialspace=True)) if isinstance(given, str) else given
    texts = [_text({"value": value}, context) for value in listed or ()]
    if not texts:
        raise Unmapped("a list of nothing")
    best = "min" if kind.endswith("-all") else "max"
    places = ", ".join(f"{{{number}}}" for number in range(len(texts)))

    def build(values: Sequence[str]) -> Part:
        return Part([_compared(operation, OUTPUT, value) for value in values], f"{best}({places})")

    return _made((kind,), build, *texts)


def _starts(kind: str, one: dict[str, Any], context: Context) -> Check:
    """What starts with a text contains it right behind a sign that stands before the output only."""
    before = kind == "starts-with"

    def build(values: Sequence[str]) -> Part:
        marked = (_START + OUTPUT, _START + values[0]) if before else (OUTPUT + _END, values[0] + _END)
        return Part([_compared("like", *marked)])

    return _made((kind,), build, _text(one, context))


def _regex(kind: str, one: dict[str, Any], context: Context) -> Check:
    pattern = _text(one, context)
    if "{{" in pattern:
        raise Unmapped("a pattern with variables")
    grader = {"type": "regex", "input": OUTPUT, "pattern": pattern}
    return _made((kind, pattern), lambda _: Part([grader]))


def _json(kind: str, one: dict[str, Any], context: Context) -> Check:
    schema = context.beside.of(one.get("value"))
    if isinstance(schema, str) and schema:
        schema = yaml_of(schema, "the schema")
    if schema in (None, ""):
        schema = {}
    if not isinstance(schema, dict):
        raise Unmapped("a schema that is no object")
    held = {"$schema": _DRAFT, **schema} if schema else {}
    grader = {"type": "json_schema", "json_schema": held}
    return _made((kind, held), lambda _: Part([grader]))


def _similar(kind: str, one: dict[str, Any], context: Context) -> Check:
    threshold = one.get("threshold", _SIMILAR)
    named = grader_of(one, "embedding") or grader_of(context.options, "embedding")
    model = {"embedding_model": model_of(named, embedding=True)} if named else {}
    value = one.get("value")
    texts = [_text({"value": text}, context) for text in (value if isinstance(value, list) else [value])]
    grader = {"type": "text_similarity", "evaluation_metric": "cosine", "input": OUTPUT, "pass_threshold": threshold}
    places = ", ".join(f"{{{number}}}" for number in range(len(texts)))

    def build(values: Sequence[str]) -> Part:
        graders = [{**grader, **model, "reference": reference} for reference in values]
        return Part(graders, "{0}" if len(values) == 1 else f"max({places})", threshold)

    return _made((kind.partition(":")[0], threshold, model), build, *texts)


def _overlap(kind: str, one: dict[str, Any], context: Context) -> Check:
    metric, usual = _OVERLAPS[kind]
    threshold = one.get("threshold", usual)
    grader = {"type": "text_similarity", "evaluation_metric": metric, "input": OUTPUT, "pass_threshold": threshold}
    context.notes.append(f"{kind}: scored by another library, which may differ in the last digits")

    def build(values: Sequence[str]) -> Part:
        return Part([{**grader, "reference": values[0]}], threshold=threshold)

    return _made((kind, threshold), build, _text(one, context))


def _levenshtein(kind: str, one: dict[str, Any], context: Context) -> Check:
    most = one.get("threshold") or _DISTANCE

    def build(values: Sequence[str]) -> Part:
        return Part([_python(pythons.levenshtein(values[0], most))])

    return _made((kind, most), build, _text(one, context), in_row=True)


def _finish(kind: str, one: dict[str, Any], context: Context) -> Check:
    reason = "{{ sample.choices[0].finish_reason }}"
    return _made((kind,), lambda values: Part([_compared("eq", reason, values[0])]), _text(one, context))


def _coded(kind: str, one: dict[str, Any], context: Context) -> Check:
    code, config, threshold = one["value"], one.get("config"), one.get("threshold")
    if code.startswith("file://"):
        path, _, function = code.removeprefix("file://").partition(":")
        source = pythons.of_file(context.beside.text(path), function or "get_assert", config, threshold)
    else:
        if "{{" in code:
            raise Unmapped("code with variables of the template; it can read context['vars']")
        source = pythons.of_code(code, config, threshold)
    return _made((kind, source), lambda _: Part([_python(source)]))


def _judged(kind: str, one: dict[str, Any], context: Context) -> Check:
    named = grader_of(one, "text") or grader_of(context.options, "text")
    model = model_of(named) if named else context.judge
    if not model:
        raise Unmapped("it names no judge: give one with --judge")
    if one.get("rubricPrompt") or context.options.get("rubricPrompt"):
        context.notes.append(f"{kind}: its own rubricPrompt gave way to Stillhouse's")
    threshold, task = one.get("threshold"), context.task

    def build(values: Sequence[str]) -> Part:
        if kind == "llm-rubric":
            return Part([judges.rubric(model, values[0], threshold)], threshold=threshold)
        ask = judges.closed_qa if kind == "model-graded-closedqa" else judges.factuality
        return Part([ask(model, values[0], task)])

    return _made((kind, model, threshold, task), build, _text(one, context))


def _compared(operation: str, text: str, reference: str) -> dict[str, Any]:
    return {"type": "string_check", "operation": operation, "input": text, "reference": reference}


def _python(source: str) -> dict[str, Any]:
    return {"type": "python", "source": source, "pass_threshold": 1}


_FAMILIES: dict[str, Callable[[str, dict[str, Any], Context], Check]] = {
    "equals": _equals,
    **dict.fromkeys(("contains", "contains-all", "contains-any"), _contains),
    **dict.fromkeys(("icontains", "icontains-all", "icontains-any"), _contains),
    **dict.fromkeys(("starts-with", "ends-with"), _starts),
    "regex": _regex,
    "is-json": _json,
    **dict.fromkeys(("similar", "similar:cosine"), _similar),
    **dict.fromkeys(_OVERLAPS, _overlap),
    "levenshtein": _levenshtein,
    "finish-reason": _finish,
    "python": _coded,
    **dict.fromkeys(("llm-rubric", "model-graded-closedqa", "factuality", "model-graded-factuality"), _judged),
}
