"""What people say of a provider: where it is, which models it has, its limits, its prices and its terms."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from foundation.bounds import Text
from providers.kinds import KindName
from providers.own_prices import OwnPrices
from providers.pace import Limits
from providers.terms import Trains

MOST_MODELS = 100
LONGEST_MODEL = 2048
"""The most letters of a model's name at its provider: an ARN is one."""

type ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""A provider's name. With a slash behind it, it stands before the names of its models."""
type Url = Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$", max_length=2048)]


def _with_a_host(url: str) -> str:
    """The URL, if a connection can be made to its host and port at all. Raises ValueError."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise ValueError("its host or its port is none") from error
    if not host or not url.isprintable() or parts.port == 0:
        raise ValueError("its host or its port is none")
    return url


type NewUrl = Annotated[Url, AfterValidator(_with_a_host)]
"""A URL that somebody gives. One that is stored already is not looked at again: its provider must stay removable."""
type Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", max_length=32)]
type ModelNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_MODEL)]], Field(max_length=MOST_MODELS)
]


class Entry(Limits):
    """One provider, without its key. Fields that its kind does not take are null."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: KindName = "openai"
    base_url: Url | None = None
    """Where its API is, up to the version: `https://api.example.com/v1`."""
    region: Region | None = None
    """The AWS region; null for the stack's own."""
    models: ModelNames = Field(default_factory=list)
    """The models that are asked for by their plain names; others by `provider/model`."""
    responses: bool | None = None
    """Whether it has the Responses API; null leaves it to its first answer."""
    trains_others: Trains = "unknown"
    """Whether its terms let its answers train another model, as the owner of the stack has read them."""
    trains_others_note: Text | None = None
    """Why, or where that stands."""
    prices: OwnPrices | None = None
    """What its models cost, in dollars per million tokens."""

    @property
    def host(self) -> str:
        """The host of its URL; empty where there is none, or none that can be."""
        try:
            return urlsplit(self.base_url or "").hostname or ""
        except ValueError:
            return ""
