"""Whether a webhook is its provider's own: by the signature that the Standard Webhooks specification describes.

In: the secrets of the provider, the headers and the bytes of the body. A signature is over the webhook's id, its time
and its body. A time that is more than five minutes from now is refused: an old webhook cannot be sent again for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError


def is_genuine(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the secrets has signed this. Header names are in lower case."""
    return any(_has_signed(secret, headers, body) for secret in secrets)


def _has_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
        # ValueError: a body or a header that is no text, a signature or a secret that is no base64.
        return False
    return True
