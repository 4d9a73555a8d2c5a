"""Tools as the Responses API offers and chooses them, in the form that a chat completion has for them.

Only the application's own tools have one; those that the provider runs are left out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag


class _ToolFormat(BaseModel):
    type: str
    definition: str | None = None
    syntax: str | None = None

    def chat(self) -> dict[str, Any]:
        grammar = self.model_dump(exclude={"type"}, exclude_none=True)
        return {"type": self.type, "grammar": grammar} if self.type == "grammar" else {"type": self.type}


class OwnTool(BaseModel):
    """A tool of the application, as it is offered or chosen."""

    type: Literal["function", "custom"]
    name: Annotated[str, Field(min_length=1, max_length=256)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: _ToolFormat | None = None

    def chat(self) -> dict[str, Any]:
        """The same with its fields in an object of their own."""
        fields = self.model_dump(exclude={"type", "format"}, exclude_none=True)
        form = {"format": self.format.chat()} if self.format else {}
        return {"type": self.type, self.type: fields | form}


class _HostedTool(BaseModel):
    """A tool that the provider runs: a chat has no counterpart."""

    type: str


def _tool_tag(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return "own" if kind in ("function", "custom") else "allowed" if kind == "allowed_tools" else "hosted"


type Tool = Annotated[
    Annotated[OwnTool, Tag("own")] | Annotated[_HostedTool, Tag("allowed")] | Annotated[_HostedTool, Tag("hosted")],
    Discriminator(_tool_tag),
]


class _AllowedTools(BaseModel):
    mode: str = "auto"
    tools: list[Tool]

    def chat(self) -> dict[str, Any]:
        tools = [tool.chat() for tool in self.tools if isinstance(tool, OwnTool)]
        return {"type": "allowed_tools", "allowed_tools": {"mode": self.mode, "tools": tools}}


type ToolChoice = Annotated[
    Annotated[str, Tag("word")]
    | Annotated[OwnTool, Tag("own")]
    | Annotated[_AllowedTools, Tag("allowed")]
    | Annotated[_HostedTool, Tag("hosted")],
    Discriminator(lambda value: "word" if isinstance(value, str) else _tool_tag(value)),
]


def chosen(choice: ToolChoice | None) -> str | dict[str, Any] | None:
    """The choice of a tool as a chat says it; None where it has no word for it."""
    return choice.chat() if isinstance(choice, OwnTool | _AllowedTools) else choice if isinstance(choice, str) else None
