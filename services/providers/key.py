"""The key that a provider is asked with: a text, or a secret that people rotate.

In: where the key is. Out: its text, at most a minute old. The text is never logged and never part of an error.
"""

from __future__ import annotations

from typing import Protocol

from botocore.exceptions import ClientError

from foundation import aws
from foundation.errors import StillhouseError
from foundation.refreshed import Refreshed

_REFUSED_S = 5.0
"""How old a refused key may be before it is read again: a wrong one must not be read for each of many calls."""
_UNREADABLE = frozenset(
    {"AccessDeniedException", "DecryptionFailure", "InvalidRequestException", "ResourceNotFoundException"}
)
"""What Secrets Manager says of a secret that is gone, about to be deleted, or not for this function."""


class KeyUnusable(StillhouseError):
    """The secret does not hold a key. The message says what to store, and nothing of what is stored."""


class Key(Protocol):
    """What a provider is asked with."""

    def text(self) -> str:
        """The key as it is now; empty where the provider needs none."""
        ...

    def is_other_than(self, refused: str) -> bool:
        """Whether there is another key by now than this one, which the provider has refused."""
        ...


class KnownKey:
    """A key that stands beside the provider's address."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def is_other_than(self, refused: str) -> bool:
        return self._text != refused


class SecretKey:
    """A key in Secrets Manager, alone in its secret."""

    def __init__(self, secret_id: str) -> None:
        self._secret_id = secret_id
        self._held = Refreshed(self._read)

    def text(self) -> str:
        return self._held.get()

    def is_other_than(self, refused: str) -> bool:
        return self._held.get(within_s=_REFUSED_S) != refused

    def _read(self) -> str:
        """Raises KeyUnusable if the secret cannot be read, or holds JSON or no text."""
        try:
            held = aws.secretsmanager().get_secret_value(SecretId=self._secret_id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNREADABLE:
                raise
            why = f"cannot be read ({error.response['Error']['Code']}): see that this function may read it."
            raise self._unusable(why) from error
        key = held.get("SecretString", "").strip()
        if not key:
            raise self._unusable("holds no text.")
        if key.startswith(("{", "[", '"')):
            raise self._unusable("holds JSON, as the console stores key/value pairs.")
        return key

    def _unusable(self, why: str) -> KeyUnusable:
        return KeyUnusable(
            f"The secret {self._secret_id} {why} Store the key alone: aws secretsmanager put-secret-value "
            f"--secret-id {self._secret_id} --secret-string <key>"
        )
