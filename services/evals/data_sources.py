"""The data source of a run: where its rows come from and how a model is sampled on them, in OpenAI's shapes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from completions.sources import StoredCompletions, StoredResponses
from completions.system_prompt import SystemPrompt
from evals.files import Row
from graders.template import checked_content


class _Shape(BaseModel):
    """Fields of the SDK that nothing here reads are kept."""

    model_config = ConfigDict(extra="allow")


class FileId(_Shape):
    """An uploaded JSONL file as a source of rows."""

    type: Literal["file_id"]
    id: str


class FileContent(_Shape):
    """Rows given inline."""

    type: Literal["file_content"]
    content: list[Row] = Field(min_length=1)


class Message(_Shape):
    """One message of an input template."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Annotated[Any, AfterValidator(checked_content)]


class MessageTemplate(_Shape):
    """Messages with `{{ item.… }}` places."""

    type: Literal["template"]
    template: list[Message] = Field(min_length=1)


class ItemReference(_Shape):
    """The messages that stand at a path of the row, e.g. `item.input`."""

    type: Literal["item_reference"]
    item_reference: str = Field(pattern=r"^item\.")


type InputMessages = Annotated[MessageTemplate | ItemReference, Field(discriminator="type")]


class JsonlSource(_Shape):
    """Rows as they are given, with their own samples if they have any.

    `recorded_grades` says which of the grades that came with the samples are kept: those of criteria that ask a model
    (`judged`), or all. `model` is the model of the samples that do not name one.
    """

    type: Literal["jsonl"]
    source: Annotated[FileContent | FileId, Field(discriminator="type")]
    model: str | None = None
    recorded_grades: Literal["judged", "all"] | None = None


class SampledSource(_Shape):
    """Rows to grade as stored, or to sample again if `model` is given.

    A request that the eval has paid for before is not made again, unless the run wants `fresh` samples. `batch` samples
    through the provider's Batch API: within a day, at half the price. `system_prompt` stands in the place of the system
    messages that the rows have.
    """

    input_messages: InputMessages | None = None
    model: str | None = None
    sampling_params: dict[str, Any] | None = None
    fresh: bool | None = None
    batch: bool | None = None
    system_prompt: SystemPrompt | None = None


class CompletionsSource(SampledSource):
    """Rows that are chat completions."""

    type: Literal["completions"]
    source: Annotated[StoredCompletions | FileContent | FileId, Field(discriminator="type")]


class ResponsesSource(SampledSource):
    """Rows that are responses; `sampling_params` have the names of the Responses API."""

    type: Literal["responses"]
    source: Annotated[StoredResponses | FileContent | FileId, Field(discriminator="type")]


type DataSource = Annotated[JsonlSource | CompletionsSource | ResponsesSource, Field(discriminator="type")]
