"""Corrections of stored completions: what the answer should have been, in the words of a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from api.completions import reference_of, stored
from completions import corrections
from completions.corrections import Correction
from distillations.answer_problems import calls_problem, format_problem
from foundation.bounds import Name, Text, in_bytes
from foundation.document import Body, Deleted
from foundation.errors import ApiError, NotFound, TooLarge
from foundation.ids import now
from foundation.routes import Routes

router = Routes("Corrections")
_LONGEST = 128 * 1024
_MOST_CALLS = 128
_NO_COMPLETION = {404: "There is no such completion, or it has no correction."}
type _Said = Annotated[str, in_bytes(_LONGEST)]


class CorrectedFunction(Body):
    """A function that is called, and with what."""

    name: Name = Field(min_length=1)
    arguments: _Said
    """JSON as a text."""


class CorrectedCall(Body):
    """A tool call of the corrected answer."""

    id: Name | None = None
    """Made up for the training where it is left out."""
    type: Literal["function"] = "function"
    function: CorrectedFunction


class CorrectedMessage(Body):
    """The answer as it should have been: a text, tool calls, or both. At most 128 KiB."""

    role: Literal["assistant"] = "assistant"
    content: _Said | None = None
    tool_calls: list[CorrectedCall] | None = Field(default=None, min_length=1, max_length=_MOST_CALLS)


class NewCorrection(Body):
    """A corrected answer: its whole `message`, or the `content` of one that calls no tool."""

    message: CorrectedMessage | None = None
    content: _Said | None = None
    note: Text | None = None
    """Why it was corrected, for people."""
    by: Name | None = None
    """Who corrected it."""

    @model_validator(mode="after")
    def _says_one_answer(self) -> Self:
        if (self.message is None) == (self.content is None):
            raise ValueError("give either 'message' or 'content'")
        return self

    @property
    def answer(self) -> dict[str, Any]:
        """The message in OpenAI's shape."""
        message = self.message or CorrectedMessage(content=self.content)
        return message.model_dump(exclude_none=True)


@router.post("/v1/chat/completions/<completion_id>/correction", scope="write")
def correct_completion(completion_id: str, asked: NewCorrection) -> Correction:
    """Say what the answer of a stored completion should have been. A later correction replaces an earlier one.

    It trains instead of the teacher's answer; runs go on to grade what was answered. It is checked like an answer: by
    the request's `response_format`, and its calls by the tools that were offered.
    """
    request = stored(completion_id).request
    message = asked.answer
    if not (message.get("content") or "").strip() and not message.get("tool_calls"):
        raise ApiError("The corrected answer has neither text nor tool calls.", code="invalid_value", param="message")
    if len(orjson.dumps(message)) > _LONGEST:
        raise TooLarge(f"The corrected answer has more than {_LONGEST} bytes.", code="too_large", param="message")
    problem = format_problem(message, request) or calls_problem(message, request)
    if problem:
        raise ApiError(f"This answer could not train. {problem}", code="invalid_value", param="message")
    at = now()
    made = Correction(
        id=corrections.id_of(completion_id),
        created_at=at,
        completion_id=completion_id,
        message=message,
        note=asked.note,
        by=asked.by,
        corrected_at=at,
    )
    return made.record()


@router.get("/v1/chat/completions/<completion_id>/correction", scope="read", errors=_NO_COMPLETION)
def retrieve_correction(completion_id: str) -> Correction:
    """Retrieve the correction of a stored completion."""
    reference_of(completion_id)
    correction = corrections.find(completion_id)
    if correction is None:
        raise NotFound("correction", completion_id, param="completion_id")
    return correction


@router.delete("/v1/chat/completions/<completion_id>/correction", scope="write", errors=_NO_COMPLETION)
def delete_correction(completion_id: str) -> Deleted:
    """Delete the correction of a stored completion. Training sets that were made with it stay as they are."""
    reference_of(completion_id)
    if not corrections.discard(completion_id):
        raise NotFound("correction", completion_id, param="completion_id")
    return Deleted(id=corrections.id_of(completion_id), object="chat.completion.correction.deleted")
