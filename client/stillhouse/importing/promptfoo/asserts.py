"""Convert Promptfoo's asserts to checks; each function converts one family of assert types.

In: an assert of a test, the test's options and the judge of the command line. Out: a Check. An assert without an exact
counterpart raises Left with the reason. So does an assert with weight 0: it measures, and decides nothing.
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
    """What an assert refers to: files, its test's options, the judge if it names none, the task that was given.

    `scored` is true if the test has a threshold over the scores of its asserts.
    """

    beside: Beside
    options: dict[str, Any] = field(default_factory=dict)
    judge: str | None = None
    task: str | None = None
    scored: bool = False
    notes: list[str] = field(default_factory=list)


def checks_of(asserts: Sequence[Any], context: Context, leave: Callable[[str, str], None]) -> list[Check]:
    """Return the checks of a test; `leave` is called with the kind and the reason of every assert that has none."""
    checks: list[Check] = []
    for assertion in asserts:
        kind = str(assertion.get("type")) if isinstance(assertion, dict) else "assert"
        try:
            checks += _checks(assertion, context, leave)
        except Left as left:
            leave(kind, left.reason)
        except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
            leave(kind, f"it is not of the documented shape ({type(error).__name__})")
    return checks


def _checks(assertion: dict[str, Any], context: Context, leave: Callable[[str, str], None]) -> list[Check]:
    weight = assertion.get("weight", 1)
    if weight == 0 or assertion.get("metricOnly"):
        raise Unmapped(f"{'weight 0' if weight == 0 else 'metricOnly'}: it measures and decides nothing")
    more = _set(assertion) - _CARRIED - _CARRIED_BY.get(str(assertion["type"]).removeprefix("not-"), frozenset())
    if more:
        raise Unmapped(f"its {', '.join(sorted(more))}, which has no counterpart")
    if assertion["type"] != "assert-set":
        return [_check(assertion, context)]
    parts = checks_of(assertion["assert"], context, leave)
    if len(parts) < len(assertion["assert"]):
        raise Unmapped("a set that is not whole without the asserts that were left out")
    threshold = assertion.get("threshold")
    if threshold is None and not context.scored:
        return parts
    # A test's threshold takes the mean of the set, whether the set passes or not.
    return [together(parts, _name(assertion), 1 if threshold is None else threshold, weight)]


def _check(assertion: dict[str, Any], context: Context) -> Check:
    if assertion.get("transform") or any(context.options.get(name) for name in ("transform", "postprocess")):
        raise Unmapped("its output is transformed by a script first")
    written = str(assertion["type"])
    kind = written.removeprefix("not-")
    family = _FAMILIES.get(kind)
    if family is None:
        raise Unmapped("Stillhouse has no such criterion")
    made = family(kind, assertion, context)
    for value in made.values:
        templates.converted(value.text)
    if kind == written:
        return Check(_name(assertion), made.signature, made.build, made.values, assertion.get("weight", 1))

    def build(values: Sequence[str]) -> Part:
        return made.build(values).inverted()

    return Check(_name(assertion), f"not {made.signature}", build, made.values, assertion.get("weight", 1))


def _set(assertion: dict[str, Any]) -> set[str]:
    """Return the keys that are set: their value is neither null nor false."""
    return {key for key, value in assertion.items() if value is not None and value is not False}


def _name(assertion: dict[str, Any]) -> str:
    metric = assertion.get("metric")
    return metric if isinstance(metric, str) and metric and "{{" not in metric else str(assertion["type"])


def _made(
    signature: Sequence[Any], build: Callable[[Sequence[str]], Part], *values: str, in_row: bool = False
) -> Check:
    held = tuple(Value(value, in_row) for value in values)
    return Check("", json.dumps([*signature, len(values)], sort_keys=True), build, held)


def _text(assertion: dict[str, Any], context: Context) -> str:
    """Return the assert's value as text; if it names a file, the file's text. Raises Unmapped if it is no text."""
    value = context.beside.of(assertion.get("value"))
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return texts.of_number(value)
    if not isinstance(value, str) or not value:
        raise Unmapped("a value that is no text")
    return value


def _equals(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    value = context.beside.of(assertion.get("value"))
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
        if "{{" in text:
            raise Unmapped("an object with {{ in it")
        return _made(
            ("json", kind), lambda values: Part([{"type": "json_match", "reference": values[0]}], threshold=1), text
        )
    return _made((kind,), lambda values: Part([_compared("eq", OUTPUT, values[0])]), _text({"value": value}, context))


def _contains(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    operation = "ilike" if kind.startswith("icontains") else "like"
    if not kind.endswith(("-all", "-any")):
        text = _text(assertion, context)
        return _made((kind,), lambda values: Part([_compared(operation, OUTPUT, values[0])]), text)
    wanted = _listed(assertion.get("value"), context)
    best = "min" if kind.endswith("-all") else "max"
    places = ", ".join(f"{{{number}}}" for number in range(len(wanted)))

    def build(values: Sequence[str]) -> Part:
        return Part([_compared(operation, OUTPUT, value) for value in values], f"{best}({places})")

    return _made((kind,), build, *wanted)


def _listed(value: Any, context: Context) -> list[str]:
    """Return the texts of a list, or of a text with commas, which must have no variables: they may hold commas."""
    given = context.beside.of(value)
    if isinstance(given, str):
        if "{{" in given:
            raise Unmapped("a list in a text with variables; a list of texts may have them")
        given = texts.split(given)
    if not given:
        raise Unmapped("a list of nothing")
    return [_text({"value": text}, context) for text in given]


def _starts(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    """Test for a start or an end by `like`: a sign is put at that end of the output and of the text alike."""
    before = kind == "starts-with"

    def build(values: Sequence[str]) -> Part:
        marked = (_START + OUTPUT, _START + values[0]) if before else (OUTPUT + _END, values[0] + _END)
        return Part([_compared("like", *marked)])

    return _made((kind,), build, _text(assertion, context))


def _regex(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    pattern = _text(assertion, context)
    if "{{" in pattern:
        raise Unmapped("a pattern with variables")
    return _made((kind, pattern), lambda _: Part([{"type": "regex", "input": OUTPUT, "pattern": pattern}]))


def _json(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    schema = schemas.schema_of(assertion.get("value"), context.beside)
    if schemas.has_format(schema):
        context.notes.append("is-json: the `format` of its schema is not checked here")
    grader = {"type": "json_schema", "json_schema": schema}
    return _made((kind, schema), lambda _: Part([grader]))


def _similar(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    threshold = assertion.get("threshold", _SIMILAR)
    named = _grader(kind, assertion, context, "embedding")
    model = {"embedding_model": model_of(named, embedding=True)} if named else {}
    value = assertion.get("value")
    wanted = [_text({"value": text}, context) for text in (value if isinstance(value, list) else [value])]
    grader = {"type": "text_similarity", "evaluation_metric": "cosine", "input": OUTPUT, "pass_threshold": threshold}
    places = ", ".join(f"{{{number}}}" for number in range(len(wanted)))

    def build(values: Sequence[str]) -> Part:
        graders = [{**grader, **model, "reference": reference} for reference in values]
        return Part(graders, "{0}" if len(values) == 1 else f"max({places})", threshold)

    return _made((kind.partition(":")[0], threshold, model), build, *wanted)


def _overlap(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    metric, usual = _OVERLAPS[kind]
    threshold = assertion.get("threshold", usual)
    grader = {"type": "text_similarity", "evaluation_metric": metric, "input": OUTPUT, "pass_threshold": threshold}
    context.notes.append(f"{kind}: scored by another library, which may differ in the last digits")

    def build(values: Sequence[str]) -> Part:
        return Part([{**grader, "reference": values[0]}], threshold=threshold)

    return _made((kind, threshold), build, _text(assertion, context))


def _levenshtein(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    most = assertion.get("threshold") or _DISTANCE

    def build(values: Sequence[str]) -> Part:
        return Part([_python(pythons.levenshtein(values[0], most))])

    return _made((kind, most), build, _text(assertion, context), in_row=True)


def _finish(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    reason = "{{ sample.choices[0].finish_reason }}"
    return _made((kind,), lambda values: Part([_compared("eq", reason, values[0])]), _text(assertion, context))


def _coded(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    code, config, threshold = assertion["value"], assertion.get("config"), assertion.get("threshold")
    if code.startswith("file://"):
        path, _, function = code.removeprefix("file://").partition(":")
        source = pythons.of_file(context.beside.text(path), function or "get_assert", config, threshold)
    else:
        if "{{" in code:
            raise Unmapped("code with variables of the template; it can read context['vars']")
        source = pythons.of_code(code, config, threshold)
    return _made((kind, source), lambda _: Part([_python(source)]))


def _judged(kind: str, assertion: dict[str, Any], context: Context) -> Check:
    if kind.endswith("factuality") and context.options.get("factuality"):
        raise Unmapped("options.factuality, scores of its own")
    named = _grader(kind, assertion, context, "text")
    model = model_of(named) if named else context.judge
    if not model:
        raise Unmapped("it names no judge: give one with --judge")
    if assertion.get("rubricPrompt") or context.options.get("rubricPrompt"):
        context.notes.append(f"{kind}: its own rubricPrompt gave way to Stillhouse's")
    threshold, task = assertion.get("threshold"), context.task

    def build(values: Sequence[str]) -> Part:
        if kind == "llm-rubric":
            return Part([judges.rubric(model, values[0], threshold)], threshold=threshold)
        ask = judges.closed_qa if kind == "model-graded-closedqa" else judges.factuality
        return Part([ask(model, values[0], task)])

    return _made((kind, model, threshold, task), build, _text(assertion, context))


def _grader(kind: str, assertion: dict[str, Any], context: Context, of: str) -> str | None:
    """Return the name of the provider that grades: the assert's own, else the test's."""
    name, more = grader_of(assertion, of)
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
