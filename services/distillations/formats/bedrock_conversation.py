"""`bedrock-conversation-2024`, the format in which Amazon Nova is customised: the turns as Converse would get them.

The model is trained on what it will be asked. The rules are AWS's: texts of user and assistant alone, the user's turn
first and the assistant's last, no tools, no words that Nova keeps for itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from distillations.formats.format import Format, Row, Unwritable
from distillations.formats.openai_chat import OpenAIExample, Strict
from providers.bedrock.content import system_blocks, turns
from providers.unsupported import Unsupported

SCHEMA = "bedrock-conversation-2024"
# In a prompt, any of these ends the whole job.
_RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")


class Block(Strict):
    """A text."""

    text: str = Field(min_length=1)


type Blocks = Annotated[list[Block], Field(min_length=1)]


class Turn(Strict):
    """What one of both said."""

    role: Literal["user", "assistant"]
    content: Blocks


class ConversationRow(Strict):
    """A row: the system's texts, and turns of which the last is the answer to learn."""

    schemaVersion: Literal["bedrock-conversation-2024"]  # noqa: N815 - AWS's name
    system: Blocks | None = None
    messages: list[Turn] = Field(min_length=2)

    @model_validator(mode="after")
    def _is_a_conversation(self) -> Self:
        refuse_other_turns([turn.role for turn in self.messages])
        if self.messages[-1].role != "assistant":
            raise ValueError("the last turn must be the assistant's")
        refuse_reserved([*(self.system or ()), *(block for turn in self.messages[::2] for block in turn.content)])
        return self


def refuse_other_turns(roles: list[str]) -> None:
    """Raises where the user does not begin, or the two do not take turns."""
    if roles[0] != "user":
        raise ValueError("the first turn must be the user's")
    if any(role != ("user", "assistant")[number % 2] for number, role in enumerate(roles)):
        raise ValueError("user and assistant must take turns")


def refuse_reserved(prompts: list[Block]) -> None:
    """Raises where a prompt has a word that Nova keeps for itself."""
    found = next((word for word in _RESERVED if any(word in block.text for block in prompts)), None)
    if found:
        raise ValueError(f"Nova keeps '{found}' for itself: a prompt with it ends the job. Write it in another way")


def conversation(example: Row) -> Row:
    """The row of a supervised example. Raises Unwritable."""
    messages = example["messages"]
    if any(message.get("weight") == 0 for message in messages):
        raise Unwritable("Nova's fine-tuning trains on every answer: weight 0 has no counterpart")
    return document(messages, example)


def document(messages: list[Row], asked: Row) -> Row:
    """The system's texts and the turns of some messages. Raises Unwritable; `asked` has the tools that were offered."""
    if asked.get("tools") or any(message["role"] == "tool" or message.get("tool_calls") for message in messages):
        raise Unwritable("Nova's fine-tuning takes no tools: leave rows with tools out of the training set")
    spoken: list[Any] = [{name: value for name, value in one.items() if name != "weight"} for one in messages]
    try:
        system, made = system_blocks(spoken), turns(spoken)
    except Unsupported as unsupported:
        raise Unwritable(unsupported.message) from unsupported
    if any(set(block) != {"text"} for turn in made for block in turn["content"]):
        raise Unwritable("Nova is fine-tuned on texts here: leave rows with images out of the training set")
    if not all(turn["content"] for turn in made):
        raise Unwritable("a turn has no text", code="missing_content")
    return {"schemaVersion": SCHEMA, **({"system": system} if system else {}), "messages": made}


FORMAT = Format(example=OpenAIExample, row=ConversationRow, written=conversation)
