"""The providers of models. In: a model's name. Out: the provider that serves it."""

from providers.provider import (
    Answer,
    Event,
    EventStream,
    NoResponses,
    OverLimit,
    Passed,
    Provider,
    ProviderAway,
    ProviderRefused,
    StreamingProvider,
    has_message,
)
from providers.registry import paced_providers, providers
from providers.routing import ModelAmbiguous

__all__ = [
    "Answer",
    "Event",
    "EventStream",
    "ModelAmbiguous",
    "NoResponses",
    "OverLimit",
    "Passed",
    "Provider",
    "ProviderAway",
    "ProviderRefused",
    "StreamingProvider",
    "has_message",
    "paced_providers",
    "providers",
]
