"""Prices that people give for their own models, as a stack's parameter or with a provider."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

type _Dollars = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$", max_length=24)]


class OwnPrice(BaseModel):
    """What a model costs, in dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: _Dollars
    cached_input: _Dollars | None = None
    output: _Dollars
    training: _Dollars | None = None
    hour: _Dollars | None = None
    """What it costs an hour while it is deployed, whether it is asked or not, in dollars."""


class OwnPrices(BaseModel):
    """Prices of the stack's owner, and the date or label that reports show beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: Annotated[str, Field(min_length=1, max_length=64)]
    models: dict[Annotated[str, Field(max_length=2048)], OwnPrice]
