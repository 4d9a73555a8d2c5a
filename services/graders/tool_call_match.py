"""`tool_call_match`: whether the model called the tools that a reference names, with the same arguments.

In: both sides as JSON arrays of calls, `{"name", "arguments"}` or a chat completion's `tool_calls`. Out: the F1 of the
pairs of matching calls, in which each call takes part once; 1 if both sides have no call. A text that is no array
scores 0, and what is no call matches none; such a reference raises `NotGradable`. A call whose arguments are no JSON
object matches by its name only; a custom tool's input is its one argument, `input`. A side with very many calls or
arguments raises `TooLarge`, since each call is compared with each of the other side.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import Field

from graders.canonical import canonical
from graders.grade import Grade, GraderModel, Models, NotGradable, Scale, TooLarge
from graders.template import render

_MOST_CALLS = 256
_MOST_ARGUMENTS = 10_000


class _Call(NamedTuple):
    """A tool's name and its arguments, None if they are no object. Equal argument values have the same number.

    What is no call has no name, and matches none.
    """

    name: str | None
    arguments: dict[str, int] | None


class ToolCallMatch(GraderModel):
    """`arguments` must be "equal", must "include" all of the reference with equal values, or do not count ("ignore").

    With `order` "strict" the first call pairs with the first, the second with the second. With `extra_calls`
    "ignore" calls beyond the reference do not count.
    """

    type: Literal["tool_call_match"]
    input: str = "{{ sample.output_tools }}"
    reference: str
    arguments: Literal["equal", "include", "ignore"] = "equal"
    order: Literal["any", "strict"] = "any"
    extra_calls: Literal["count", "ignore"] = "count"
    pass_threshold: float = Field(default=1.0, ge=0, le=1)

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        namespaces = {"item": item, "sample": sample}
        numbers: dict[Hashable, int] = {}
        wanted = _calls(render(self.reference, namespaces), numbers)
        made = _calls(render(self.input, namespaces), numbers)
        if wanted is None or any(call.name is None for call in wanted):
            raise NotGradable("the reference is no JSON array of tool calls with name and arguments")
        if made is None:
            return Grade(passed=self.pass_threshold == 0, score=0.0, sample={"errors": ["no JSON array of tool calls"]})
        pairs = self._pairs(wanted, made)
        of = 2 * len(wanted) if self.extra_calls == "ignore" else len(wanted) + len(made)
        score = 2 * pairs / of if of else 1.0
        shown = {"wanted": len(wanted), "made": len(made), "matched": pairs}
        return Grade(passed=score >= self.pass_threshold, score=score, sample=shown)

    def _pairs(self, wanted: list[_Call], made: list[_Call]) -> int:
        """The largest number of pairs of matching calls."""
        if self.order == "strict":
            return sum(self._fits(call, other) for call, other in zip(wanted, made, strict=False))
        fitting = [[position for position, other in enumerate(made) if self._fits(call, other)] for call in wanted]
        return _most_pairs(fitting)

    def _fits(self, wanted: _Call, made: _Call) -> bool:
        if wanted.name != made.name or self.arguments == "ignore":
            return wanted.name == made.name
        if wanted.arguments is None or made.arguments is None:
            return False
        if self.arguments == "include":
            return wanted.arguments.items() <= made.arguments.items()
        return wanted.arguments == made.arguments


def _calls(text: str, numbers: dict[Hashable, int]) -> list[_Call] | None:
    """The calls in a text; None if it is no array of calls. `numbers` has the numbers of the values seen so far."""
    try:
        calls = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    calls = [] if calls is None else [calls] if isinstance(calls, dict) else calls
    if not isinstance(calls, list):
        return None
    made = [_call(call, numbers) for call in calls]
    arguments = sum(len(call.arguments or ()) for call in made)
    if len(made) > _MOST_CALLS or arguments > _MOST_ARGUMENTS:
        raise TooLarge(
            f"{len(made)} calls with {arguments} arguments are too many to hold against others: a side may have "
            f"{_MOST_CALLS} calls and {_MOST_ARGUMENTS} arguments"
        )
    return made


def _call(call: Any, numbers: dict[Hashable, int]) -> _Call:
    fields: dict[str, Any] = call if isinstance(call, dict) else {}
    is_custom = isinstance(fields.get("custom"), dict)
    called = fields["custom"] if is_custom else fields.get("function", fields)
    if not isinstance(called, dict) or not isinstance(called.get("name"), str):
        return _Call(None, None)
    arguments = {"input": called.get("input")} if is_custom else _object(called.get("arguments"))
    if arguments is None:
        return _Call(called["name"], None)
    values = {name: numbers.setdefault(canonical(value), len(numbers)) for name, value in arguments.items()}
    return _Call(called["name"], values)


def _object(arguments: Any) -> dict[str, Any] | None:
    """The arguments as an object, empty if there are none; None if they are something else."""
    if isinstance(arguments, str) and arguments:
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return None
    arguments = arguments or {}
    return arguments if isinstance(arguments, dict) else None


def _most_pairs(fitting: list[list[int]]) -> int:
    """The size of the largest matching of a bipartite graph, by augmenting paths (Kuhn).

    In: the neighbours of each left node.
    """
    taken_by: dict[int, int] = {}

    def finds_one(left: int, tried: set[int]) -> bool:
        for right in fitting[left]:
            if right not in tried:
                tried.add(right)
                if right not in taken_by or finds_one(taken_by[right], tried):
                    taken_by[right] = left
                    return True
        return False

    return sum(finds_one(left, set()) for left in range(len(fitting)))
