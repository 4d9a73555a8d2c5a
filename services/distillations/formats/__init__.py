"""The formats of training files: the registry that trainers, uploads, exports and the rules of curation read.

To add one: a module here with its `FORMAT`, and a line in `FORMATS`. A module is imported when its format is used.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Literal, NamedTuple

from distillations.formats.format import Fault, Format, Row, Unwritable

type Method = Literal["supervised", "dpo"]


class FormatEntry(NamedTuple):
    """Where a format is written, what it is, and by which method its files train."""

    module: str
    description: str
    method: Method


FORMATS: dict[str, FormatEntry] = {
    "openai-chat": FormatEntry("openai_chat", "OpenAI's messages, with tools, images and weight", "supervised"),
    "openai-dpo": FormatEntry("openai_dpo", "OpenAI's pairs of a preferred answer and another", "dpo"),
    "bedrock-conversation-2024": FormatEntry("bedrock_conversation", "Amazon Nova's turns of texts", "supervised"),
    "sagemaker-chat": FormatEntry("sagemaker_chat", "SageMaker's openai_chat for open models", "supervised"),
    "sagemaker-preference": FormatEntry("sagemaker_preference", "SageMaker's hf_preference for open models", "dpo"),
    "sagemaker-dpo": FormatEntry("sagemaker_dpo", "SageMaker's dpo for Amazon Nova", "dpo"),
    "together-chat": FormatEntry("together_chat", "Together's messages", "supervised"),
    "together-preference": FormatEntry("together_preference", "Together's pairs", "dpo"),
    "fireworks-chat": FormatEntry("fireworks_chat", "Fireworks' messages", "supervised"),
    "fireworks-dpo": FormatEntry("fireworks_dpo", "Fireworks' pairs", "dpo"),
    "nebius-chat": FormatEntry("nebius_chat", "Nebius' messages", "supervised"),
    "trl-messages": FormatEntry("trl_messages", "TRL's messages, for your own machine", "supervised"),
    "trl-preference": FormatEntry("trl_preference", "TRL's prompt, chosen and rejected", "dpo"),
}
OPENAI: dict[Method, str] = {"supervised": "openai-chat", "dpo": "openai-dpo"}
"""The format of each method in which examples lie in the stack."""


@cache
def format_named(name: str) -> Format:
    """The format of this name. Raises KeyError on an unknown one."""
    found: Format = import_module(f"distillations.formats.{FORMATS[name].module}").FORMAT
    return found


__all__ = ["FORMATS", "OPENAI", "Fault", "Format", "FormatEntry", "Method", "Row", "Unwritable", "format_named"]
