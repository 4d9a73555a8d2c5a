"""Whether a call through the gateway is captured, with which tags, and which model answers if its own does not.

In: the request's own `store` and `metadata`, the headers `X-Stillhouse-Store`, `X-Stillhouse-Metadata` (`k=v,k2=v2`, a
comma or an equals sign inside as %2C, %3D) and `X-Stillhouse-Fallback-Model`, and the key's defaults. The body wins
over the header, the header over the key. Raises ApiError naming the field or the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import BaseModel, Field, ValidationError

from aliases.alias import Cascade
from completions.completion import Metadata
from foundation.errors import ApiError
from foundation.field_errors import field_error
from foundation.keys import Key

_METADATA = "X-Stillhouse-Metadata"
_STORE = "X-Stillhouse-Store"
_FALLBACK = "X-Stillhouse-Fallback-Model"
_MOST_PAIRS = 16
_LONGEST_MODEL = 256


class _Wishes(BaseModel):
    """What a request's body says about its capture."""

    store: bool | None = Field(default=None, strict=True)
    metadata: Metadata | None = None


class Policy(NamedTuple):
    """The policy of one call."""

    store: bool
    metadata: dict[str, str]
    fallback_model: str | None
    headers: Mapping[str, str] = {}
    """The request's headers, by lower-case name."""
    alias: dict[str, Any] | None = None
    """The alias that the call was made by, as it is captured; None where it named a model."""
    cascade: Cascade | None = None
    """Who answers what the alias's target is not sure of."""


def policy_of(request: dict[str, Any], headers: Mapping[str, str], key: Key, *, store: bool = False) -> Policy:
    """The policy that body, headers and key give this call; `store` is what holds where none of them says it.

    Raises ApiError naming the field or the header.
    """
    try:
        body = _Wishes.model_validate(request)
    except ValidationError as error:
        raise field_error(error, request) from error
    stores = (body.store, _flag(headers.get(_STORE.lower())), key.store)
    return Policy(
        store=next((wish for wish in stores if wish is not None), store),
        metadata=_together(key.metadata, _tags(headers.get(_METADATA.lower())), body.metadata),
        fallback_model=_model(headers.get(_FALLBACK.lower())) or key.fallback_model,
        headers=headers,
    )


def _together(*tags: dict[str, str] | None) -> dict[str, str]:
    merged = {name: value for some in tags for name, value in (some or {}).items()}
    if len(merged) > _MOST_PAIRS:
        raise ApiError(
            f"Invalid 'metadata': with the pairs of the header and of the key it has {len(merged)}, at most "
            f"{_MOST_PAIRS} are kept.",
            code="invalid_value",
            param="metadata",
        )
    return merged


def _tags(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    try:
        return _Wishes.model_validate({"metadata": dict(map(_pair, filter(str.strip, text.split(","))))}).metadata
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise _wrong(_METADATA, f"{reason}, as in the body's metadata") from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name or not equals:
        raise _wrong(_METADATA, "pairs like feature=reply,team=mail are expected")
    try:
        return unquote(name, errors="strict"), unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise _wrong(_METADATA, "a percent-encoding in it is not UTF-8") from error


def _flag(text: str | None) -> bool | None:
    if text is None:
        return None
    if (word := text.strip().lower()) not in {"true", "false"}:
        raise _wrong(_STORE, "true or false is expected")
    return word == "true"


def _model(text: str | None) -> str | None:
    if text is None:
        return None
    name = text.strip()
    # It comes back in a header of the answer.
    if not 0 < len(name) <= _LONGEST_MODEL or not name.isascii() or not name.isprintable():
        raise _wrong(_FALLBACK, "the name of a model is expected")
    return name


def _wrong(header: str, why: str) -> ApiError:
    return ApiError(f"Invalid header '{header}': {why}.", code="invalid_value", param=header)
