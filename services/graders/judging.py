"""How all judge models are asked, and what happens to an answer that cannot be used.

In: a row, filled into messages with template places. Out: the judge's finding, read from structured output. If the
answer has the wrong shape, the judge is shown it and asked again. Each attempt is a request of its own, which is paid
for once, even if the chunk is delivered several times. A judge that refuses, or whose answer was cut off, is not asked
again: the same request would end in the same way at the same price. Without a usable answer NotGradable is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple, Self, TypedDict

from pydantic import AfterValidator, Field, model_validator

from completions.messages import refusal_of, text_of
from graders.fence import NOTICE, fenced_messages
from graders.grade import GraderModel, Models, NotGradable
from graders.swap import Swap
from graders.template import checked_content, render_messages

ATTEMPTS = 3
_ROLES = frozenset({"assistant", "developer", "system", "user"})
_BAD_REQUEST = 400
_RENAMED = {"max_completions_tokens": "max_completion_tokens"}


class JudgeRefused(NotGradable):
    """The judge refused to judge this row, or its provider filtered the answer."""

    code = "judge_refused"


class JudgeCutOff(NotGradable):
    """The judge's answer reached its token limit before the finding."""

    code = "judge_cut_off"


def _complete(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any("role" not in message or "content" not in message for message in messages):
        raise ValueError("each message of input needs role and content")
    for message in messages:
        if not isinstance(message["role"], str):
            raise ValueError("the role of a message is text, such as user")  # noqa: TRY004 (pydantic's way)
        checked_content(message["content"])
    # OpenAI takes any role in a definition and shows one of these. Other roles become `user`, which instructs nobody.
    return [message if message["role"] in _ROLES else {**message, "role": "user"} for message in messages]


class SamplingParams(TypedDict, total=False):
    """The judge's sampling parameters in OpenAI's spelling. A parameter that is null is not sent."""

    seed: int | None
    temperature: float | None
    top_p: float | None
    max_completions_tokens: int | None
    reasoning_effort: str | None


class Judgement[Finding](NamedTuple):
    """The judge's finding, and in `shown` its raw answer, model, attempts and usage for the output item."""

    finding: Finding
    shown: dict[str, Any]


class JudgeModel(GraderModel):
    """`input` has the judge's messages with template places. With `fence`, what fills them is marked as data.

    Without `temperature` in `sampling_params` the judge is asked with 0, or without one if its provider refuses it.
    """

    model: str = Field(min_length=1)
    input: Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(_complete)]
    sampling_params: SamplingParams | None = None
    fence: bool = True
    swap: Swap | None = None

    @model_validator(mode="after")
    def _swap_reaches_the_judge(self) -> Self:
        if self.swap:
            self.swap.check(self.input)
        return self

    def models(self) -> Iterator[tuple[str, str]]:
        yield "model", self.model

    def wording(self) -> str:
        return NOTICE if self.fence else ""

    async def judgements[Finding](
        self, row: dict[str, Any], models: Models, schema: dict[str, Any], read: Callable[[str], Finding]
    ) -> list[Judgement[Finding]]:
        """The judgement of a row `{item, sample}`; with `swap` also that of the row with its two answers exchanged."""
        orders = [row, self.swap.exchanged(row)] if self.swap else [row]
        return [await self._judgement(ordered, models, schema, read) for ordered in orders]

    async def _judgement[Finding](
        self, row: dict[str, Any], models: Models, schema: dict[str, Any], read: Callable[[str], Finding]
    ) -> Judgement[Finding]:
        fill = fenced_messages if self.fence else render_messages
        structure = {"name": "judgement", "strict": True, "schema": schema}
        request = {
            "model": self.model,
            "messages": fill(self.input, row),
            "temperature": 0,
            **(self.sampling_params or {}),
            "response_format": {"type": "json_schema", "json_schema": structure},
        }
        sent = {_RENAMED.get(name, name): value for name, value in request.items() if value is not None}
        return await _ask(models, sent, read, free="temperature" not in (self.sampling_params or {}))


async def _ask[Finding](
    models: Models, request: dict[str, Any], read: Callable[[str], Finding], *, free: bool
) -> Judgement[Finding]:
    """Ask until `read` takes the answer, at most ATTEMPTS times. `free` is whether the temperature may be left out."""
    for attempt in range(1, ATTEMPTS + 1):
        request, response = await _answered(models, request, free=free)
        text = _text(response)
        model = response.get("model") or request["model"]
        shown = {"model": model, "output": text, "attempts": attempt, "usage": response.get("usage") or {}}
        try:
            return Judgement(read(text), shown)
        except NotGradable as malformed:
            _raise_if_final(request["model"], response)
            if attempt == ATTEMPTS:
                raise
            request = {**request, "messages": [*request["messages"], *_once_more(text, malformed)]}
    raise AssertionError("the last attempt returns or raises")


async def _answered(models: Models, request: dict[str, Any], *, free: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The request that the provider took, and its answer. If the model refuses the temperature, it is left out."""
    # Imported here: functions that only read criteria need no client of providers, and start sooner without.
    from providers import ProviderRefused

    try:
        return request, await models.complete(request)
    except ProviderRefused as refusal:
        if not free or refusal.status != _BAD_REQUEST or b"temperature" not in refusal.body:
            raise
    request = {name: value for name, value in request.items() if name != "temperature"}
    return request, await models.complete(request)


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema that wants exactly these properties, as structured output demands."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _raise_if_final(model: str, response: dict[str, Any]) -> None:
    """Raise JudgeRefused or JudgeCutOff if asking again would not change the answer."""
    choice = (response.get("choices") or [{}])[0]
    refusal = refusal_of(choice.get("message") or {})
    if refusal or choice.get("finish_reason") == "content_filter":
        raise JudgeRefused(f"judge '{model}' refused: {refusal or 'its provider filtered the answer'}")
    if choice.get("finish_reason") == "length":
        raise JudgeCutOff(
            f"judge '{model}' was cut off in the middle of its answer; raise sampling_params.max_completions_tokens"
        )


def _text(response: dict[str, Any]) -> str:
    """The text of the answer; empty if the judge refused or the response has no message."""
    choices = response.get("choices") or [{}]
    return text_of((choices[0].get("message") or {}).get("content"))


def _once_more(text: str, malformed: NotGradable) -> list[dict[str, str]]:
    """The messages that ask again: the malformed answer, and what is wrong with it."""
    answer = [{"role": "assistant", "content": text}] if text else []
    correction = f"That answer cannot be used: {malformed}. Answer again, only with JSON of the given schema."
    return [*answer, {"role": "user", "content": correction}]
