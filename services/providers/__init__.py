"""The provider seam for chat: a model's name in, whoever answers to it out."""

from providers.provider import Answer, OverLimit, Provider, ProviderAway, ProviderRefused
from providers.registry import ModelAmbiguous, paced_providers, providers

__all__ = [
    "Answer",
    "ModelAmbiguous",
    "OverLimit",
    "Provider",
    "ProviderAway",
    "ProviderRefused",
    "paced_providers",
    "providers",
]
