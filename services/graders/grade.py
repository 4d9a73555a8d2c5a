"""The seam of graders: what each of them takes and returns.

A grader is a pydantic model of its definition with one coroutine, `grade(item, sample, models)`. It returns a `Grade`.
If it cannot grade the row it raises `NotGradable`: the row is errored, and the run goes on. A row whose answer lacks
what a template names fails (`AnswerLacks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from foundation.errors import StillhouseError


class Models(Protocol):
    """What a grader can call. In: a request in OpenAI's shape. Out: the response. Each call is made and paid once."""

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make a chat completion."""
        ...

    async def embed(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make an embedding."""
        ...

    async def run_source(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run a user's own Python source in the sandbox, see `graders/sandbox.py`."""
        ...


class NotGradable(StillhouseError):
    """This row cannot be graded. The message says why to people, `code` to programs."""

    code = "not_gradable"


class InvalidVariable(NotGradable):
    """A template names what the row does not have."""

    code = "invalid_variable_error"


class AnswerLacks(InvalidVariable):
    """A template names a part that this answer could have had, such as a field of its JSON: the row is failed."""


class TooLarge(NotGradable):
    """Grading this row would take more computing than one row may."""

    code = "too_large"


class Grade(BaseModel):
    """One criterion's finding about one sample. `sample` is the evidence for it, shown in the output item."""

    passed: bool
    score: float
    sample: dict[str, Any] | None = None


class Scale(NamedTuple):
    """The kind of answer that a grader gives, which people's labels are compared with."""

    labels: Sequence[str] = ()
    passing_labels: Sequence[str] = ()
    pass_threshold: float | None = None
    """The score from which a row passes; None where no single score decides."""
    judge: str | None = None
    """The model whose opinion the grade is; None where no model judges."""


class GraderModel(BaseModel):
    """The part of a definition that all graders share. Unknown fields are kept, and shown as they were given.

    Other code asks the grader itself which models it calls (`models`), what kind of answer it gives (`scale`) and of
    which graders it is made (`parts`); it does not guess from the names of its fields.
    """

    # The validator is built when criteria are first read, not at import: every function's cold start would pay for it.
    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    name: str = Field(min_length=1)
    id: str = ""

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        """Grade one sample. Raises NotGradable, and what `models` raises."""
        raise NotImplementedError

    def models(self) -> Iterator[tuple[str, str]]:
        """The models that it calls, as pairs of the field that names the model and the model's name."""
        yield from ()

    def rename_models(self, name_of: Callable[[str], str]) -> None:
        """Have it call the models of these names instead."""
        for field, model in list(self.models()):
            setattr(self, field, name_of(model))

    def asks_models(self) -> bool:
        """Whether grading a row calls a model, which costs money."""
        return any(True for _ in self.models())

    def scale(self) -> Scale:
        """The kind of answer that it gives."""
        return Scale()

    def parts(self) -> Mapping[str, GraderModel]:
        """The graders that it is made of, by name."""
        return {}

    def wording(self) -> str:
        """The text that the grader adds to its prompts and that is not in its definition; part of the rubric's hash."""
        return ""

    @model_serializer(mode="wrap")
    def _without_absent_fields(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = serialize(self)
        return {name: value for name, value in fields.items() if value is not None and (value or name != "id")}
