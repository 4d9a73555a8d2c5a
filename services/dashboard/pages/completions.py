"""Stored completions: the table of a filter, one in full, its tags, its correction, its deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from dashboard import columns, graded, turns
from dashboard.answers import Answer, Page, SeeOther, TextFile
from dashboard.filters import FIELDS, fields_of, form_of, kept, query_of
from dashboard.linked import made_of
from dashboard.shown import as_json, step, text
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Completions")
_AFTER = Query("after", "The id after which the page begins.")
_FILTER = (*(Query(name, "A field of the filter.") for name in FIELDS), _AFTER)
_MOST_TAGS = 60
_MOST_TURNS = 10
_MOST_ANSWERS = 8
_MOST_GRADED = 8
"""Into how many runs a page looks for grades, and how many it shows."""
_LONGEST_BEGUN = 10_000
"""The most letters of an answer that a form offers to correct: half of one must not become the whole."""


@pages.get("/completions", scope="read", query=(*_FILTER, *columns.QUERY))
def completions(visit: Visit) -> Answer:
    """The completions of a filter, the newest first."""
    asked = {**query_of(visit.query), "order": "desc", "include": "messages", "limit": "20"}
    if "after" in visit.query:
        asked["after"] = visit.query["after"]
    page, saved = visit.api.all(
        [Asked("/chat/completions", asked), Asked("/filters", {"limit": "50", "order": "desc"})]
    )
    rows = [turns.row(completion) for completion in page["data"]]
    tags = dict.fromkeys(f"{name}={value}" for row in rows for name, value in row.metadata.items())
    content = {
        "page": page,
        "rows": rows,
        "filters": {name: visit.query.get(name, "") for name in FIELDS},
        "kept": kept(visit),
        "here": {**kept(visit), **columns.kept_columns(visit.query)},
        "columns": columns.COLUMNS,
        "shown": columns.chosen(visit.query),
        "saved": [(found, form_of(found["filter"])) for found in (saved or {"data": []})["data"]],
        "tags": list(tags)[:_MOST_TAGS],
    }
    return Page("completions.html", "Completions", content)


@pages.get("/completions/<completion_id>", scope="read", query=_FILTER)
def completion(visit: Visit) -> Answer:
    """One completion in full, with those before and after it in its filter."""
    completion_id = visit.parameters["completion_id"]
    path = f"/chat/completions/{step(completion_id)}"
    filtered = {**query_of(visit.query), "after": completion_id, "limit": "1"}
    stored, newer, older, first, last, lineage, grades = visit.api.all(
        [
            Asked(path),
            Asked("/chat/completions", {**filtered, "order": "asc"}),
            Asked("/chat/completions", {**filtered, "order": "desc"}),
            Asked(f"{path}/messages", {"limit": str(_MOST_TURNS)}),
            Asked(f"{path}/messages", {"limit": str(_MOST_TURNS), "order": "desc"}),
            Asked(f"/lineage/{step(completion_id)}"),
            Asked(f"{path}/grades", {"runs": str(_MOST_GRADED), "limit": str(_MOST_GRADED)}, spare=True),
        ]
    )
    if stored is None:
        raise ApiError("There is no such completion: it was deleted, or never recorded.", code="not_found", status=404)
    beginning, end, left_out = _both_ends(first, last)
    choices = [choice for choice in stored["choices"] if isinstance(choice, dict)]
    answers = turns.on_a_page(turns.turn(choice.get("message")) for choice in choices[:_MOST_ANSWERS])
    correction = stored.get("correction")
    corrected = turns.turn(correction["message"]) if correction else None
    content = {
        "completion": stored,
        "before": _id_of(newer),
        "after": _id_of(older),
        "first": beginning,
        "last": end,
        "left_out": left_out,
        "answers": answers,
        "more_answers": len(choices) - len(answers),
        "correction": correction,
        "corrected": corrected,
        "begun": _begun(corrected or (answers[0] if answers else None)),
        "tokens": turns.tokens_of(stored),
        "tags": _lines(stored["metadata"]),
        "grades": [graded.of_completion(found) for found in (grades or {"data": []})["data"]],
        "ungraded": grades["runs_left_out"] if grades else 0,
        "made": made_of(lineage),
        "kept": kept(visit),
    }
    return Page("completion.html", f"Completion {completion_id}", content)


@pages.get("/completions/<completion_id>/all", scope="read")
def everything(visit: Visit) -> Answer:
    """All of a completion as JSON, for what a page does not show."""
    path = f"/chat/completions/{step(visit.parameters['completion_id'])}"
    return TextFile(as_json({**visit.api.get(path), "messages": visit.api.every(f"{path}/messages")}))


@pages.post("/completions/<completion_id>/tags", scope="write")
def retag(visit: Visit) -> Answer:
    """Replace the tags."""
    completion_id = visit.parameters["completion_id"]
    visit.api.post(f"/chat/completions/{step(completion_id)}", {"metadata": _tags(visit.form().get("tags", ""))})
    return SeeOther(f"/completions/{step(completion_id)}", _filter_of_form(visit))


@pages.post("/completions/<completion_id>/delete", scope="write")
def delete(visit: Visit) -> Answer:
    """Delete it for good."""
    visit.api.delete(f"/chat/completions/{step(visit.parameters['completion_id'])}")
    return SeeOther("/completions", _filter_of_form(visit))


@pages.post("/completions/<completion_id>/correction", scope="write")
def correct(visit: Visit) -> Answer:
    """Say what the answer should have been."""
    completion_id, form = visit.parameters["completion_id"], visit.form()
    # A browser ends the lines of a form in its own way.
    fields = {name: form[name].replace("\r\n", "\n") for name in ("content", "note", "by") if form.get(name)}
    visit.api.post(f"/chat/completions/{step(completion_id)}/correction", {"content": "", **fields})
    return SeeOther(f"/completions/{step(completion_id)}", _filter_of_form(visit))


@pages.post("/completions/<completion_id>/correction/delete", scope="write")
def take_back(visit: Visit) -> Answer:
    """Delete the correction: the teacher's answer trains again."""
    completion_id = step(visit.parameters["completion_id"])
    visit.api.delete(f"/chat/completions/{completion_id}/correction")
    return SeeOther(f"/completions/{completion_id}", _filter_of_form(visit))


def _filter_of_form(visit: Visit) -> dict[str, str]:
    """The filter of the page on which a form stands: who came from a list goes on in it."""
    return fields_of(dict(parse_qsl(visit.page.partition("?")[2])))


def _begun(said: turns.Turn | None) -> str:
    """The text that a correction begins from; empty where a form would not give it back as it is."""
    given = said.text if said else ""
    return given if len(given) <= _LONGEST_BEGUN and text(given) == given and "\r" not in given else ""


def _lines(tags: Mapping[str, str]) -> str | None:
    """The tags as lines of a form; None where saving them unchanged would change them."""
    lines = text("\n".join(f"{name}={value}" for name, value in tags.items()))
    try:
        return lines if _tags(lines) == tags else None
    except ApiError:
        return None


def _both_ends(first: Any, last: Any) -> tuple[list[turns.Turn], list[turns.Turn], bool]:
    """The first turns, the last ones that are not among them, and whether some between are left out."""
    beginning = [] if first is None else first["data"]
    seen = {message["id"] for message in beginning}
    end = [message for message in reversed(last["data"]) if message["id"] not in seen] if last else []
    left_out = bool(end) and len(end) == _MOST_TURNS and first["has_more"]
    shown = turns.on_a_page(map(turns.turn, [*beginning, *end]))
    return shown[: len(beginning)], shown[len(beginning) :], left_out


def _id_of(page: Any) -> str | None:
    return page["data"][0]["id"] if page and page["data"] else None


def _tags(written: str) -> dict[str, str]:
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    wrong = next((line for line in lines if "=" not in line), None)
    if wrong is not None:
        raise ApiError(f"Write each tag as name=value: '{wrong[:64]}' has no '='.", param="tags", code="invalid_value")
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
