"""The provider seam for chat: a model's name in, whoever answers to it out."""

from foundation.models.provider import Answer, Provider, ProviderAway, ProviderRefused, run
from foundation.models.registry import ModelAmbiguous, providers

__all__ = ["Answer", "ModelAmbiguous", "Provider", "ProviderAway", "ProviderRefused", "providers", "run"]
