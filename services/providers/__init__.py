"""The providers of models. In: a model's name. Out: the provider that serves it."""

from providers.provider import (
    Answer,
    NoResponses,
    OverLimit,
    Passed,
    Provider,
    ProviderAway,
    ProviderRefused,
    has_message,
)
from providers.registry import paced_providers, providers
from providers.routing import ModelAmbiguous

__all__ = [
    "Answer",
    "ModelAmbiguous",
    "NoResponses",
    "OverLimit",
    "Passed",
    "Provider",
    "ProviderAway",
    "ProviderRefused",
    "has_message",
    "paced_providers",
    "providers",
]
