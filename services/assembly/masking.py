"""Mask personal data in everything that a training line says, for good: nobody can tell from the mask what stood there.

In: a line. Out: the same with `<EMAIL_1>` and so on in its texts: those of all roles, the arguments of calls and the
results of tools. What is JSON stays JSON. Within a line the same data has the same mask, and other data another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, reduce
from typing import Any

import orjson

from assembly.personal_data import spans_of
from distillations.dataset_row import Corrected
from distillations.text_steps import PersonalData

_MOST_LEVELS = 64
_REMEMBERED = 4096
_SPEAKERS = ("system", "developer", "user", "assistant")
_OF_EXAMPLES = ("example_user", "example_assistant")
"""Names by which OpenAI's documentation has examples told from what was said: nobody is called so."""

type Mask = Callable[[str], str]
"""Masks a text that stands by itself."""


def mask_of(steps: Sequence[PersonalData]) -> Mask | None:
    """What masks a label or a word of the report as these steps mask what it is of; None where nothing is masked."""
    if not steps:
        return None
    kinds = [None if step.kinds is None else tuple(step.kinds) for step in steps]
    return lambda text: reduce(_masked, kinds, text)


@lru_cache(maxsize=_REMEMBERED)
def _masked(text: str, kinds: tuple[str, ...] | None) -> str:
    return Masker(kinds).text(text)


class Masker:
    """The masks of one line; those of some `kinds` alone where they are named."""

    def __init__(self, kinds: Collection[str] | None = None) -> None:
        self._kinds = kinds
        self._masks: dict[tuple[str, str], str] = {}
        self._distinct: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def line(self, line: dict[str, Any]) -> dict[str, Any]:
        """The line with its messages masked. The tools that were offered are the developer's words and stay."""
        return {**line, "messages": [self.message(message) for message in line["messages"]]}

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        masked = {**message}
        if message.get("role") in _SPEAKERS and isinstance(message.get("name"), str):
            masked["name"] = self._name(message["name"])
        if "content" in message:
            masked["content"] = self._content(message["content"])
        if isinstance(message.get("tool_calls"), list):
            masked["tool_calls"] = [self._call(call) for call in message["tool_calls"]]
        return masked

    def corrected(self, corrected: Corrected) -> Corrected:
        """Both answers of a correction, and its note, masked."""
        teacher = self.message(corrected.teacher) if corrected.teacher else None
        note = self.text(corrected.note) if corrected.note else None
        said = {"teacher": teacher, "correction": self.message(corrected.correction), "note": note}
        return corrected.model_copy(update=said)

    def _name(self, name: str) -> str:
        """The name of whoever speaks: always that of somebody. A name has no brackets at OpenAI."""
        if name in _OF_EXAMPLES or (self._kinds is not None and "PERSON" not in self._kinds):
            return name
        return self._mask("PERSON", name).strip("<>")

    def _content(self, content: Any) -> Any:
        if isinstance(content, list):
            return [
                {**part, "text": self._written(part["text"])}
                if isinstance(part, dict) and isinstance(part.get("text"), str)
                else part
                for part in content
            ]
        return self._written(content) if isinstance(content, str) else content

    def _call(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        masked = {**call}
        for kind, field in (("function", "arguments"), ("custom", "input")):
            named = call.get(kind)
            if isinstance(named, dict) and isinstance(named.get(field), str):
                masked[kind] = {**named, field: self._written(named[field])}
        return masked

    def _written(self, text: str) -> str:
        """A text masked; one that is a JSON object or array by its values, so that it stays one."""
        if text[:1] not in ("{", "[") and text.lstrip()[:1] not in ("{", "["):
            return self.text(text)
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self.text(text)
        masked = self._value(value, _MOST_LEVELS)
        return text if masked == value else orjson.dumps(masked).decode()

    def _value(self, value: Any, levels: int) -> Any:
        """A JSON value masked, a number as the text that its mask is. What is nested deeper is left out."""
        if levels == 0:
            return None
        if isinstance(value, dict):
            return {self.text(name): self._value(member, levels - 1) for name, member in value.items()}
        if isinstance(value, list):
            return [self._value(member, levels - 1) for member in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            masked = self.text(str(value))
            return value if masked == str(value) else masked
        return value

    def text(self, text: str) -> str:
        """A text by itself masked."""
        pieces, at = [], 0
        for start, end, kind in spans_of(text):
            if self._kinds is not None and kind not in self._kinds:
                continue
            pieces += [text[at:start], self._mask(kind, text[start:end])]
            at = end
        return "".join((*pieces, text[at:])) if pieces else text

    def _mask(self, kind: str, text: str) -> str:
        self.counts[kind] += 1
        same = "".join(letter for letter in text.casefold() if letter.isalnum())
        if (kind, same) not in self._masks:
            self._distinct[kind] += 1
            self._masks[kind, same] = f"<{kind}_{self._distinct[kind]}>"
        return self._masks[kind, same]
