"""Together's format of supervised training: OpenAI's, of strings alone, in which user and assistant take turns."""

from __future__ import annotations

from distillations.formats.format import Format, itself
from distillations.formats.open_chat import AlternatingExample

FORMAT = Format(example=AlternatingExample, row=AlternatingExample, written=itself)
