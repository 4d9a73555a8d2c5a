"""Refuse what a provider cannot do: a 400 in OpenAI's shape that names the field, instead of leaving it out."""

from __future__ import annotations

import orjson

from foundation.errors import ApiError
from providers.provider import ProviderRefused

_BAD_REQUEST = 400


class Unsupported(ProviderRefused):
    """The provider of the model has nothing that this part of the request could become."""

    def __init__(self, param: str, why: str, *, code: str = "unsupported_parameter") -> None:
        body = ApiError(f"Invalid '{param}': {why}", code=code, param=param).body()
        super().__init__(_BAD_REQUEST, orjson.dumps(body), {})
        self.param = param
