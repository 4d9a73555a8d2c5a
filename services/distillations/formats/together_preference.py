"""Together's format of preference training: OpenAI's, of strings alone, in which user and assistant take turns."""

from __future__ import annotations

from distillations.formats.format import Format, itself
from distillations.formats.open_dpo import AlternatingPair

FORMAT = Format(example=AlternatingPair, row=AlternatingPair, written=itself)
