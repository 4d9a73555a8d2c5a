"""A tokenizer that tests of the training scripts can read."""

from __future__ import annotations

from typing import Any


class Letters:
    """A tokenizer whose tokens are letters, with a template of one line a message."""

    def apply_chat_template(
        self, messages: list[dict[str, Any]], *, add_generation_prompt: bool = False, **_: Any
    ) -> str:
        lines = "".join(f"{message['role'][0]}:{message['content']};" for message in messages)
        return lines + ("a:" if add_generation_prompt else "")

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": [ord(letter) for letter in text]}
