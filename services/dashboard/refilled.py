"""A refused form, shown again with what was typed, and the refusal at its field.

In: the page that has the form, as HTML of the templates; the form's path and what was typed; the refusal. Out: the same
page, in which the fields of that form have the typed values; hidden fields and passwords stay as the page has them. A
refusal names a field of the API, such as `source.metadata`: the field of the form that is called so, that says so in
`data-param`, or that is called like the last step of it that the form knows, has the refusal beside it. Where it has
none, the refusal stands at the form's head. None where the page has no such form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser

from dashboard.shown import beginning
from foundation.errors import ApiError

_STEP = re.compile(r"[\w-]+")
_ANCHOR = "refusal"
_KEPT = frozenset({"hidden", "password", "file", "submit"})
_LETTERS = 2_000


def refilled(html: str, path: str, typed: Mapping[str, str], refusal: ApiError) -> str | None:
    """The page with the form of this path filled in again."""
    named = _Fields(path)
    named.feed(html)
    if not named.found:
        return None
    filler = _Filler(path, typed, refusal, named.field_of(refusal.param or ""))
    filler.feed(html)
    filler.close()
    return "".join(filler.parts)


class _Fields(HTMLParser):
    """The names of a form's visible fields, by themselves and by what they are called in the API."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.found = False
        self.names: set[str] = set()
        self.params: dict[str, str] = {}
        self._path = path
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "form":
            self._inside = _is_form_of(self._path, fields)
            self.found |= self._inside
        elif self._inside and tag in {"input", "select", "textarea"} and fields.get("type") != "hidden":
            self.names.add(fields.get("name") or "")
            self.params.setdefault(fields.get("data-param") or "", fields.get("name") or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"

    def field_of(self, param: str) -> str | None:
        """The name of the field that the API's name of one means; None where the form has none."""
        if param in self.names:
            return param
        around = [
            name for name in self.params if name and (param == name or param.startswith((f"{name}.", f"{name}[")))
        ]
        if around:
            return self.params[max(around, key=len)]
        return next((step for step in reversed(_STEP.findall(param)) if step in self.names), None)


class _Filler(HTMLParser):
    """Writes a page anew, one form of it filled in."""

    def __init__(self, path: str, typed: Mapping[str, str], refusal: ApiError, field: str | None) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._path, self._typed, self._refusal, self._field = path, typed, refusal, field
        self._inside = False
        self._said = False
        self._select: str | None = None
        self._textarea: str | None = None
        self._folds: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "details":
            self._folds.append(len(self.parts))
        if self._inside:
            self.parts.append(self._written(tag, fields))
            if tag == "input" and fields.get("type") != "hidden":
                self._say(fields.get("name"))
            return
        self.parts.append(self.get_starttag_text() or "")
        if tag == "form" and _is_form_of(self._path, fields):
            self._inside = True
            self._unfold()
            if self._field is None:
                self._say(None)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - no field
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{tag}>")
        if tag == "details" and self._folds:
            self._folds.pop()
        if tag in {"select", "textarea"} and self._inside:
            self._say(self._textarea if tag == "textarea" else self._select)
            self._textarea = self._select = None
        self._inside = self._inside and tag != "form"

    def handle_data(self, data: str) -> None:
        if self._textarea is None or self._textarea not in self._typed:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")

    def _written(self, tag: str, fields: dict[str, str | None]) -> str:
        """The tag of a field with the value that was typed; any other as it is."""
        name, kind = fields.get("name") or "", fields.get("type") or "text"
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            if name in self._typed:
                # A browser leaves out one line end that follows the tag.
                return f"{_tag(tag, self._marked(name, fields))}\n{escape(self._typed[name])}"
        elif tag == "option" and self._select is not None and self._select in self._typed:
            return _tag(tag, _switched(fields, "selected", on=fields.get("value") == self._typed[self._select]))
        elif tag == "input" and kind in {"radio", "checkbox"}:
            fields = _switched(fields, "checked", on=self._typed.get(name) == (fields.get("value") or "on"))
        elif tag == "input" and kind not in _KEPT and name in self._typed:
            fields = {**fields, "value": self._typed[name]}
        return _tag(tag, self._marked(name, fields)) if name else self.get_starttag_text() or ""

    def _marked(self, name: str, fields: dict[str, str | None]) -> dict[str, str | None]:
        if name != self._field or fields.get("type") == "hidden":
            return fields
        return {**fields, "aria-invalid": "true", "aria-describedby": _ANCHOR}

    def _say(self, name: str | None) -> None:
        """Write the refusal, once, if this is the field that it is about."""
        if name == self._field and not self._said:
            self._said = True
            self._unfold()
            words = escape(beginning(self._refusal.message, _LETTERS))
            self.parts.append(f'<span class="refusal" id="{_ANCHOR}" role="alert">{words}</span>')

    def _unfold(self) -> None:
        for place in self._folds:
            if " open" not in self.parts[place]:
                self.parts[place] = self.parts[place].replace("<details", "<details open", 1)


def _is_form_of(path: str, fields: Mapping[str, str | None]) -> bool:
    return fields.get("method") == "post" and (fields.get("action") or "").partition("#")[0] == path


def _switched(fields: dict[str, str | None], name: str, *, on: bool) -> dict[str, str | None]:
    others = {key: value for key, value in fields.items() if key != name}
    return {**others, name: None} if on else others


def _tag(tag: str, fields: Mapping[str, str | None]) -> str:
    written = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in fields.items())
    return f"<{tag}{written}>"
