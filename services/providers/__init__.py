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
from providers.registry import ModelAmbiguous, paced_providers, providers

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
