"""The provider seam for chat: a model's name in, whoever answers to it out."""

from foundation.models.provider import Answer, Provider, ProviderAway, ProviderRefused, run
from foundation.models.registry import default_provider

__all__ = ["Answer", "Provider", "ProviderAway", "ProviderRefused", "default_provider", "run"]
