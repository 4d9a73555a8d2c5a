"""What every grader takes and gives.

A grader is a pydantic model of its definition with one coroutine, `grade(item, sample, models)`. It returns a
`Grade`; where it cannot grade it raises `NotGradable`, which makes the row errored and loses nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from foundation.errors import StillhouseError


class Models(Protocol):
    """Asks others for a grader: a request in OpenAI's shape in, the response out. Every call is made once."""

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """A chat completion."""
        ...

    async def embed(self, request: dict[str, Any]) -> dict[str, Any]:
        """An embedding."""
        ...

    async def run_source(self, request: dict[str, Any]) -> dict[str, Any]:
        """A source of the user's own in the sandbox, see `foundation/sandbox.py`."""
        ...


class NotGradable(StillhouseError):
    """This row cannot be graded; the message says why, `code` in one word."""

    code = "not_gradable"


class InvalidVariable(NotGradable):
    """A template names what the row does not have."""

    code = "invalid_variable_error"


class TooLarge(NotGradable):
    """What this row wants graded costs more than one row may."""

    code = "too_large"


class Grade(BaseModel):
    """One criterion's finding about one sample. `sample` holds what it rests on, for the output item."""

    passed: bool
    score: float
    sample: dict[str, Any] | None = None


class Scale(NamedTuple):
    """What a grader answers with, so that people's answers can be held against its own."""

    labels: Sequence[str] = ()
    passing_labels: Sequence[str] = ()
    pass_threshold: float | None = None
    """The score from which a row passes; None where no single score decides."""
    judge: str | None = None
    """The model whose opinion the grade is; None where no model judges."""


class GraderModel(BaseModel):
    """The part of a definition that all graders share; unknown fields are kept and given back, absent ones stay so.

    A grader says of itself which models it asks (`models`), what it answers with (`scale`) and which graders it is made
    of (`parts`). Nobody reads that from the names of its fields.
    """

    # Built where criteria are first read, not at import, which a cold start of every function pays.
    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    name: str = Field(min_length=1)
    id: str = ""

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        """Raises NotGradable, and what `models` raises."""
        raise NotImplementedError

    def models(self) -> Iterator[tuple[str, str]]:
        """The models that it asks, each with the field that names it."""
        yield from ()

    def asks_models(self) -> bool:
        """Whether grading a row costs a call of a model."""
        return any(True for _ in self.models())

    def scale(self) -> Scale:
        """What it answers with."""
        return Scale()

    def parts(self) -> Mapping[str, GraderModel]:
        """The graders that it is made of, by name."""
        return {}

    def wording(self) -> str:
        """What decides how a model is asked and does not stand in the definition."""
        return ""

    @model_serializer(mode="wrap")
    def _without_absent_fields(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = serialize(self)
        return {name: value for name, value in fields.items() if value is not None and (value or name != "id")}
