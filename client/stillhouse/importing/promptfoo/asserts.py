"""Promptfoo's asserts as checks, one function a family.

In: an assert of a test, and what its test and the command line say of judges. Out: a Check. An assert that has no exact
counterpart raises Left with the reason. A weight of 0 makes an assert a mere measure, which is no criterion.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stillhouse.importing.promptfoo import judges, pythons, schemas, templates, texts
from stillhouse.importing.promptfoo.files import Beside
from stillhouse.importing.promptfoo.parts import OUTPUT, Check, Part, Value, together
from stillhouse.importing.promptfoo.providers import grader_of, model_of
from stillhouse.importing.source import Left, Unmapped

_START, _END = "\x02", "\x03"
_SIMILAR = 0.75
_DISTANCE = 5
_OVERLAPS = {"rouge-n": ("rouge_1", 0.75), "bleu": ("bleu", 0.5), "gleu": ("gleu", 0.5), "meteor": ("meteor", 0.5)}
_CARRIED = frozenset(
    {"description", "metric", "provider", "rubricPrompt", "threshold", "transform", "type", "value", "weight"}
)
_CARRIED_BY = {"assert-set": frozenset({"assert"}), "python": frozenset({"config"})}


@dataclass
class Context:
    """What surrounds an assert: files, the test's options, the judge where none is named, what was asked.

    `scored` says that the test has a threshold over the scores of its asserts.
    """

    beside: Beside
    options: dict[str, Any] = field(default_factory=dict)
    judge: str | None = None
    task: str | None = None
    scored: bool = False
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
    if weight == 0 or one.get("metricOnly"):
        raise Unmapped(f"{'weight 0' if weight == 0 else 'metricOnly'}: it measures and decides nothing")
    more = _set(one) - _CARRIED - _CARRIED_BY.get(str(one["type"]).removeprefix("not-"), frozenset())
    if more:
        raise Unmapped(f"its {', '.join(sorted(more))}, which has no counterpart")
    if one["type"] != "assert-set":
        return [_check(one, context)]
    parts = checks_of(one["assert"], context, leave)
    if len(parts) < len(one["assert"]):
        raise Unmapped("a set that is not whole without the asserts that were left out")
    threshold = one.get("threshold")
    if threshold is None and not context.scored:
        return parts
    # A test's threshold takes the mean of the set, whether the set passes or not.
    return [together(parts, _name(one), 1 if threshold is None else threshold, weight)]


def _check(one: dict[str, Any], context: Context) -> Check:
    if one.get("transform") or any(context.options.get(name) for name in ("transform", "postprocess")):
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


def _set(one: dict[str, Any]) -> set[str]:
    """The keys that say something."""
    return {key for key, value in one.items() if value is not None and value is not False}


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
        return texts.of_number(value)
    if not isinstance(value, str) or not value:
        raise Unmapped("a value that is no text")
    return value


def _equals(kind: str, one: dict[str, Any], context: Context) -> Check:
    value = context.beside.of(one.get("value"))
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
    wanted = _listed(one.get("value"), context)
    best = "min" if kind.endswith("-all") else "max"
    places = ", ".join(f"{{{number}}}" for number in range(len(wanted)))

    def build(values: Sequence[str]) -> Part:
        return Part([_compared(operation, OUTPUT, value) for value in values], f"{best}({places})")

    return _made((kind,), build, *wanted)


def _listed(value: Any, context: Context) -> list[str]:
    """The texts of a list, which may stand in one text. Promptfoo fills that in first and splits it then."""
    given = context.beside.of(value)
    if isinstance(given, str):
        if "{{" in given:
            raise Unmapped("a list in a text with variables; a list of texts may have them")
        given = texts.split(given)
    if not given:
        raise Unmapped("a list of nothing")
    return [_text({"value": one}, context) for one in given]


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
    schema = schemas.schema_of(one.get("value"), context.beside)
    if schemas.has_format(schema):
        context.notes.append("is-json: the `format` of its schema is not checked here")
    grader = {"type": "json_schema", "json_schema": schema}
    return _made((kind, schema), lambda _: Part([grader]))


def _similar(kind: str, one: dict[str, Any], context: Context) -> Check:
    threshold = one.get("threshold", _SIMILAR)
    named = _grader(kind, one, context, "embedding")
    model = {"embedding_model": model_of(named, embedding=True)} if named else {}
    value = one.get("value")
    wanted = [_text({"value": text}, context) for text in (value if isinstance(value, list) else [value])]
    grader = {"type": "text_similarity", "evaluation_metric": "cosine", "input": OUTPUT, "pass_threshold": threshold}
    places = ", ".join(f"{{{number}}}" for number in range(len(wanted)))

    def build(values: Sequence[str]) -> Part:
        graders = [{**grader, **model, "reference": reference} for reference in values]
        return Part(graders, "{0}" if len(values) == 1 else f"max({places})", threshold)

    return _made((kind.partition(":")[0], threshold, model), build, *wanted)


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
    if kind.endswith("factuality") and context.options.get("factuality"):
        raise Unmapped("options.factuality, scores of its own")
    named = _grader(kind, one, context, "text")
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


def _grader(kind: str, one: dict[str, Any], context: Context, of: str) -> str | None:
    """The provider that grades: the assert's own, else the test's."""
    name, more = grader_of(one, of)
    if not name:
        name, more = grader_of(context.options, of)
    if more:
        context.notes.append(f"{kind}: its judge came without its {', '.join(more)}")
    return name


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
