"""Which provider answers: the default one, until providers can be named."""

from __future__ import annotations

from functools import cache

from foundation import aws
from foundation.models.openai_compatible import OpenAICompatible
from foundation.models.provider import Provider
from foundation.settings import settings


@cache
def default_provider() -> Provider:
    """The provider of the template's ProviderBaseUrl and ProviderSecretArn."""
    secret_arn = settings().PROVIDER_SECRET_ARN
    return OpenAICompatible(base_url=settings().PROVIDER_BASE_URL, api_key=aws.secret(secret_arn) if secret_arn else "")
