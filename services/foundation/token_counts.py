"""Counts of tokens, which providers give in two ways."""

from __future__ import annotations


def whole_prompt(prompt: int, cached: int) -> int:
    """The tokens of a prompt with those that came from the cache.

    OpenAI counts the cached tokens in the prompt's. Where they are more, they were counted apart, as Anthropic does.
    """
    return prompt + cached if cached > prompt else prompt
