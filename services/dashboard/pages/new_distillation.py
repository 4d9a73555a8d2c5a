"""The form that starts a distillation: filled in so that it can be pressed as it is, with what it costs beside it.

What nobody has said comes from the distillation that is repeated, else from the last one, else from the completions of
the filter: whose answers they are, and by which tag they are split.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.filters import FIELDS, query_of, source_of, tags_of
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Distillations")
_FILTER = tuple(Query(name, "A field of the filter.") for name in FIELDS)
_BEGUN = (
    Query("repeat", "The distillation to begin from."),
    Query("eval_id", "The eval to measure with."),
    Query("dataset", "The dataset to train on, in place of completions."),
)
_SMALL = re.compile(r"(?:\b|[-_])(?:mini|nano|small|lite|micro|haiku|flash|[1-9]b)(?:\b|[-_])", re.IGNORECASE)
"""Names that providers give to their small models."""
_OF_COMPLETIONS = frozenset({"tags", "train_tags", "test_tags", "test_limit"})
_SAMPLE = 100
_COUNTED = 10_000
"""The most completions that an estimate counts: a hundred thousand would take more than a second."""
_TEST_SHARE, _LEAST_TEST, _MOST_TEST = 0.2, 30, 400
_LONGEST_NUMBER = 7


@pages.get("/distillations/new", scope="write", query=(*_FILTER, *_BEGUN))
def new_distillation(visit: Visit) -> Answer:
    """The form, filled in from the filter."""
    return _form(visit, visit.query)


@pages.post("/distillations/new", scope="write")
def start(visit: Visit) -> Answer:
    """Start it, or estimate it anew with what the form has now."""
    form = visit.form()
    if form.get("do") == "estimate":
        return _form(visit, form)
    held_out = None
    if form.get("dataset"):
        held_out = visit.api.get(f"/datasets/{step(form['dataset'])}")["held_out"]
    made = visit.api.post("/distillations", _body(form, held_out))
    return SeeOther(f"/distillations/{step(made['id'])}")


def _form(visit: Visit, given: Mapping[str, str]) -> Page:
    fields = {name: value for name, value in given.items() if name in FIELDS and value}
    repeated = given.get("repeat")
    last = f"/distillations/{step(repeated)}" if repeated else "/distillations"
    evals, models, sample, before = visit.api.all(
        [
            Asked("/evals", {"order": "desc", "limit": "50"}),
            MODELS,
            Asked("/chat/completions", {**query_of(fields), "limit": str(_SAMPLE), "order": "desc"}),
            Asked(last, {} if repeated else {"order": "desc", "limit": "1"}),
        ]
    )
    if before and "data" in before:
        before = next(iter(before["data"]), None)
    # Where no completions are named either, it begins as the last one did, and is measured with what is newest.
    begun = _as_fields(before) if before and (repeated or not (fields or given.get("dataset"))) else {}
    if not repeated:
        begun.pop("eval_id", None)
    if fields:
        # Other completions are named: those of before are not meant.
        begun = {name: value for name, value in begun.items() if name not in _OF_COMPLETIONS}
    defaults = _defaults(fields, sample["data"], names_of(models), before)
    values = {**defaults, **begun, **{name: value for name, value in given.items() if name != "csrf"}}
    dataset = _dataset(visit, given["dataset"]) if given.get("dataset") else None
    if dataset and dataset["dataset"]["held_out"]:
        values |= {name: given.get(name, "") for name in ("tags", "train_tags", "test_tags", "test_limit")}
    used = dataset or _usage(visit, values)
    estimate = _estimate(visit, values, used)
    if not values["test_tags"] and not values["test_limit"] and not dataset:
        values["test_limit"] = _first_rows(used)
    content = {
        "evals": evals["data"],
        "models": names_of(models),
        "dataset": dataset and dataset["dataset"],
        "fields": fields,
        "values": values,
        "used": used,
        "estimate": estimate,
    }
    return Page("new_distillation.html", "New distillation", content)


def _defaults(
    fields: Mapping[str, str], sample: list[Any], models: list[str], before: Mapping[str, Any] | None
) -> dict[str, str]:
    """What the form begins with where nothing was said."""
    teacher = fields.get("model") or (sample[0]["model"] if sample else "")
    student = before["student"] if before and before["student"] != teacher else _small(models, teacher)
    train, test = _split([completion.get("metadata") or {} for completion in sample])
    about = ", ".join(tags_of(fields["tags"]).values()) if fields.get("tags") else ""
    return {
        "name": f"{about or teacher}: {student}"[:200] if student else "",
        "eval_id": "",
        "teacher": teacher,
        "student": student,
        "trainer": before["trainer"] if before else "",
        "tags": fields.get("tags", ""),
        "train_tags": train,
        "test_tags": test,
        "test_limit": "",
        "budget_usd": "",
        "contenders": "",
    }


def _small(models: Iterable[str], teacher: str) -> str:
    """A small model that can be asked; empty where no name tells one."""
    return next((name for name in models if name != teacher and _SMALL.search(name) and ":" not in name), "")


def _split(tags: list[Mapping[str, str]]) -> tuple[str, str]:
    """The tags of the completions to learn from and of those to measure on; two empty ones where none tells them."""
    values: dict[str, set[str]] = defaultdict(set)
    for pairs in tags:
        for name, value in pairs.items():
            values[name].add(value)
    splits = [name for name, seen in sorted(values.items()) if {"train", "test"} <= seen]
    return (f"{splits[0]}=train", f"{splits[0]}=test") if splits else ("", "")


def _as_fields(distillation: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form by which a distillation would be made again, as far as it came from filters."""
    fields = {name: distillation[name] or "" for name in ("name", "eval_id", "teacher", "trainer")}
    fields["student"] = ", ".join(distillation["students"] or [distillation["student"]])
    fields["contenders"] = ", ".join(distillation["contenders"])
    limit = distillation["gate"]["max_cost_usd"]
    fields["budget_usd"] = "" if limit is None else str(limit)
    test, train = distillation["test"], distillation["train"]
    if test.get("type") == train.get("type") == "stored_completions":
        common = dict(test["metadata"].items() & train["metadata"].items())
        fields["tags"] = _as_text(common)
        fields["test_tags"] = _as_text({k: v for k, v in test["metadata"].items() if k not in common})
        fields["train_tags"] = _as_text({k: v for k, v in train["metadata"].items() if k not in common})
        fields["test_limit"] = str(test["limit"] or "")
    return fields


def _as_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(tags.items()))


def _usage(visit: Visit, values: Mapping[str, str]) -> Any:
    """The usage of the completions to learn from; None where there are none."""
    query = query_of({**values, "tags": _joined(values["tags"], values["train_tags"])})
    query.pop("text", None)
    query |= {"group_by": "model", "most": str(_COUNTED)} | ({"model": values["teacher"]} if values["teacher"] else {})
    usage = visit.api.all([Asked("/usage", query)])[0]
    return {**usage["data"][0], "complete": usage["complete"]} if usage and usage["data"] else None


def _dataset(visit: Visit, dataset_id: str) -> dict[str, Any]:
    """What is trained on where it is a dataset, in the shape of a usage."""
    path = f"/datasets/{step(dataset_id)}"
    found, report = visit.api.all([Asked(path), Asked(f"{path}/report")])
    if found is None or report is None:
        raise ApiError("There is no such dataset, or it is not ready.", code="not_found", param="dataset", status=404)
    counted = {"completions": report["train_rows"], "prompt_tokens": report["train_tokens"], "completion_tokens": 0}
    return {**counted, "complete": True, "dataset": found}


def _estimate(visit: Visit, values: Mapping[str, str], used: Mapping[str, Any] | None) -> Any:
    """What training on them takes; None where nobody knows."""
    tokens = used["prompt_tokens"] + used["completion_tokens"] if used else 0
    student = next(iter(_names(values["student"])), None)
    if not tokens or student is None:
        return None
    asked = {"model": student, "tokens": str(tokens)}
    if values["trainer"]:
        asked["trainer"] = values["trainer"]
    return visit.api.all([Asked("/fine_tuning/estimate", asked)])[0]


def _first_rows(used: Mapping[str, Any] | None) -> str:
    """How many completions are measured on where no tag tells them: a fifth, as far as that makes sense."""
    count = used["completions"] if used else 0
    wanted = min(_MOST_TEST, max(_LEAST_TEST, round(_TEST_SHARE * count)))
    return str(wanted) if wanted < count else ""


def _body(form: Mapping[str, str], held_out: Mapping[str, Any] | None) -> dict[str, Any]:
    """The distillation that a form describes; `held_out` are the rows that its dataset has been kept clear of."""
    filtered = source_of(form)
    test = _narrowed(filtered, form.get("test_tags", ""))
    if held_out and not form.get("test_tags"):
        test = {name: value for name, value in held_out.items() if value is not None}
    if form.get("test_limit"):
        test["limit"] = _whole("test_limit", form["test_limit"])
    body: dict[str, Any] = {
        "name": form.get("name", ""),
        "eval_id": form.get("eval_id", ""),
        "teacher": form.get("teacher", ""),
        "student": form.get("student", ""),
        "test": test,
        "train": _narrowed(filtered, form.get("train_tags", "")),
    }
    if form.get("dataset"):
        body["train"] = {"type": "dataset", "id": form["dataset"]}
    students = _names(form.get("student", ""))
    if len(students) > 1:
        body["student"] = students
    if form.get("budget_usd"):
        body["gate"] = {"max_cost_usd": _dollars(form["budget_usd"])}
    if form.get("trainer"):
        body["trainer"] = form["trainer"]
    if form.get("contenders"):
        body["contenders"] = _names(form["contenders"])
    return body


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _joined(*tags: str) -> str:
    return ", ".join(part for part in tags if part.strip())


def _narrowed(source: Mapping[str, Any], tags: str) -> dict[str, Any]:
    """The filter with these tags besides."""
    metadata = {**source.get("metadata", {}), **tags_of(tags)}
    return {**source, "metadata": metadata} if metadata else dict(source)


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise ApiError(f"'{name}' takes a whole number.", code="invalid_value", param=name)
    return int(text)


def _dollars(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    # JSON has no infinite number: one would be sent as null, which is no limit at all.
    if not math.isfinite(amount):
        raise ApiError("'budget_usd' takes an amount in dollars.", code="invalid_value", param="budget_usd")
    return amount
