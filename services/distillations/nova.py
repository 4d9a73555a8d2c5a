"""A training example as Amazon Nova takes it in Bedrock's customization: its check, and its line.

In: a line of a training file in OpenAI's format. Out: a line of `bedrock-conversation-2024`, with the turns and the
system's texts as Converse would get them: the model is trained on what it will be asked. Fails with pydantic's
ValidationError, which says what has no counterpart. The rules are AWS's: roles user and assistant, the user's turn
first and the assistant's last, no tools, no words that Nova keeps for itself.
"""

from __future__ import annotations

from typing import Any, Self

import orjson
from pydantic import model_validator

from distillations.supervised import OpenAIExample
from providers.bedrock.content import system_blocks, turns
from providers.unsupported import Unsupported

_SCHEMA = "bedrock-conversation-2024"
# In a prompt, any of these ends the whole job.
_RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")


class NovaExample(OpenAIExample):
    """A conversation of texts that ends with the answer to learn."""

    @model_validator(mode="after")
    def _has_a_counterpart(self) -> Self:
        messages = self.model_dump(exclude_none=True)["messages"]
        if self.tools or any(message["role"] == "tool" or "tool_calls" in message for message in messages):
            raise ValueError("Nova's fine-tuning takes no tools: leave rows with tools out of the training set")
        if any(message.get("weight") == 0 for message in messages):
            raise ValueError("Nova's fine-tuning trains on every answer: weight 0 has no counterpart")
        made = _document(messages)
        if not made["messages"] or made["messages"][0]["role"] != "user":
            raise ValueError("the first turn must be the user's")
        if any(set(block) != {"text"} for turn in made["messages"] for block in turn["content"]):
            raise ValueError("Nova is fine-tuned on texts here: leave rows with images out of the training set")
        if not all(turn["content"] for turn in made["messages"]):
            raise ValueError("a turn has no text")
        _refuse_reserved(made)
        return self


def nova_line(line: dict[str, Any]) -> bytes:
    """The line for Bedrock of a line that is a `NovaExample`, without its end."""
    return orjson.dumps(_document(line["messages"]))


def _document(messages: list[dict[str, Any]]) -> dict[str, Any]:
    spoken = [{name: value for name, value in message.items() if name != "weight"} for message in messages]
    try:
        system, conversation = system_blocks(spoken), turns(spoken)
    except Unsupported as unsupported:
        raise ValueError(unsupported.message) from unsupported
    return {"schemaVersion": _SCHEMA, **({"system": system} if system else {}), "messages": conversation}


def _refuse_reserved(document: dict[str, Any]) -> None:
    prompts = [
        document.get("system", []),
        *(turn["content"] for turn in document["messages"] if turn["role"] == "user"),
    ]
    texts = [block["text"] for blocks in prompts for block in blocks]
    found = next((word for word in _RESERVED if any(word in text for text in texts)), None)
    if found:
        raise ValueError(f"Nova keeps '{found}' for itself: a prompt with it ends the job. Write it in another way")
