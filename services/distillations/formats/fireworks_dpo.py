"""Fireworks' format of preference training: OpenAI's, of strings alone."""

from __future__ import annotations

from distillations.formats.format import Format, itself
from distillations.formats.open_dpo import ChatPair

FORMAT = Format(example=ChatPair, row=ChatPair, written=itself)
