"""The form of a new eval: a card for each grader, five rows to try them on, and the button that makes it.

Cards are added, removed and tried by buttons of the form, so that it needs no script and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.answers import Answer, Page, SeeOther
from dashboard.criteria import criteria_of, param_of
from dashboard.filters import FIELDS, fields_of, query_of, rows_source, source_of
from dashboard.graded import Grade, reason_of
from dashboard.grader_cards import FIRST, KINDS, MOST_CARDS, Card, cards_of, new_card
from dashboard.shown import step
from dashboard.stillhouse_api import MODELS, Asked, names_of
from dashboard.turns import row, turn
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Evals")
_FILTER = tuple(Query(name, "A field of the filter.") for name in FIELDS)
_CONFIG = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
_ADD, _REMOVE = "add", "remove-"
_TRY, _ASK = "try", "ask"


@pages.get("/evals/new", scope="write", query=_FILTER)
def new_eval(visit: Visit) -> Answer:
    """The form for an eval of the completions of a filter, with five of them to look at."""
    cards = cards_of(visit.typed) if visit.typed else [new_card(FIRST)]
    return _form(visit, visit.query, cards, visit.typed.get("name", ""))


@pages.post("/evals/new", scope="write")
def press(visit: Visit) -> Answer:
    """Do what the button says: change the cards, try them, or make the eval."""
    form = visit.form()
    cards, button = cards_of(form), form.get("do", "")
    if button == _ADD:
        cards = _with_one_more(cards, form.get("kind", ""))
    elif button.startswith(_REMOVE):
        cards = [card for number, card in enumerate(cards) if button != f"{_REMOVE}{number}"]
    elif button in {_TRY, _ASK}:
        asked = {"testing_criteria": criteria_of(cards), "source": source_of(form), "ask_models": button == _ASK}
        return _form(visit, form, cards, form.get("name", ""), tried=visit.api.post("/evals/preview", asked))
    else:
        return _made(visit, form, cards)
    return _form(visit, form, cards, form.get("name", ""))


def _with_one_more(cards: list[Card], kind: str) -> list[Card]:
    if kind not in KINDS:
        raise ApiError("Choose a grader to add.", code="invalid_value", param="kind")
    if len(cards) == MOST_CARDS:
        raise ApiError(f"A form has at most {MOST_CARDS} graders.", code="invalid_value", param="kind")
    return [*cards, new_card(kind)]


def _made(visit: Visit, form: Mapping[str, str], cards: list[Card]) -> Answer:
    """Make the eval, and grade the completions as they were answered."""
    first_run = {"name": form.get("name", ""), "data_source": rows_source(form)}
    criteria = criteria_of(cards)
    body = {"name": form.get("name", ""), "data_source_config": _CONFIG, "testing_criteria": criteria}
    path = f"/evals/{step(visit.api.post('/evals', body)['id'])}"
    try:
        run = visit.api.post(f"{path}/runs", first_run)
    except ApiError:
        # The form is corrected and pressed again: one eval is made of it, not two.
        visit.api.delete(path)
        raise
    return SeeOther(f"{path}/runs/{step(run['id'])}")


def _form(visit: Visit, fields: Mapping[str, str], cards: list[Card], name: str, *, tried: Any = None) -> Page:
    newest = {**query_of(fields), "limit": "5", "order": "desc", "include": "messages"}
    asked = [MODELS] if tried else [MODELS, Asked("/chat/completions", newest)]
    models, *completions = visit.api.all(asked)
    content = {
        "rows": [row(completion) for completion in completions[0]["data"]] if completions else [],
        "tried": tried,
        "tried_rows": [_tried(graded) for graded in tried["rows"]] if tried else [],
        "fields": fields_of(fields),
        "cards": cards,
        "kinds": KINDS,
        "param_of": param_of,
        "name": name,
        "models": names_of(models),
    }
    return Page("new_eval.html", "New eval", content)


def _tried(graded: Any) -> dict[str, Any]:
    """A row on which the graders were tried, as the table shows it."""
    messages = graded["item"].get("input") or []
    asked = [said.text for said in map(turn, messages if isinstance(messages, list) else []) if said.role == "user"]
    return {
        "completion_id": graded["completion_id"],
        "question": asked[-1] if asked else "",
        "reference": graded["item"].get("reference"),
        "answer": "\n".join(turn(message).text for message in graded["output"]),
        "grades": [_grade(grade) for grade in graded["grades"]],
    }


def _grade(grade: Any) -> Grade | None:
    """A grade as it is shown; None where its model was not asked."""
    if grade["skipped"]:
        return None
    reason = grade["error"] or reason_of(grade["sample"] or {})
    return Grade(grade["name"], grade["passed"], grade["score"], reason)
