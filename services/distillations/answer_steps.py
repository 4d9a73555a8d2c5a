"""The steps of a recipe that look at an answer by itself: whether it is whole, and what its request asked for."""

from __future__ import annotations

from typing import Literal

from distillations.step import BaseStep


class Truncated(BaseStep):
    """Drops an answer that was cut off at its limit of tokens."""

    rule: Literal["truncated"] = "truncated"


class Filtered(BaseStep):
    """Drops an answer that the provider's filter cut off."""

    rule: Literal["filtered"] = "filtered"


class Unfinished(BaseStep):
    """Drops an answer whose end is none that we know."""

    rule: Literal["unfinished"] = "unfinished"


class Refused(BaseStep):
    """Drops an answer by which the teacher refused."""

    rule: Literal["refused"] = "refused"
    wording: bool = True
    """Whether an answer counts that refuses in its first words, and not in the field `refusal` alone."""


class Empty(BaseStep):
    """Drops an answer without text and without tool calls."""

    rule: Literal["empty"] = "empty"


class SchemaInvalid(BaseStep):
    """Drops an answer that is not what the request's own `response_format` asked for."""

    rule: Literal["schema_invalid"] = "schema_invalid"


class WrongCalls(BaseStep):
    """Drops an answer that calls a tool that was not offered, or with arguments that break the tool's schema."""

    rule: Literal["wrong_calls"] = "wrong_calls"
