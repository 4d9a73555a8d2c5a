"""Fireworks' format of supervised training: OpenAI's, of strings alone."""

from __future__ import annotations

from distillations.formats.format import Format, itself
from distillations.formats.open_chat import ChatExample

FORMAT = Format(example=ChatExample, row=ChatExample, written=itself)
