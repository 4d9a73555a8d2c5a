"""Providers that people have added: a row of the table each, and a secret for the key of each that has one.

In: an entry and its key. Out: the provider as it is saved. Keys lie in Secrets Manager alone, under the stack's own
prefix, which its policies name; they are never read here, returned or logged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from botocore.exceptions import ClientError
from pydantic import ValidationError

from foundation import aws, table
from foundation.consumer import logger
from foundation.records import Record
from foundation.settings import settings
from providers.entry import Entry

MOST_PROVIDERS = 50
_EXISTS = "ResourceExistsException"
_GONE = "ResourceNotFoundException"


class SavedProvider(Record):
    """A provider that people have added; `id` is its name. `attempt` is the id of the request that added it."""

    KIND: ClassVar[str] = "PROVIDER"
    NAME: ClassVar[str] = "provider"

    object: Literal["provider"] = "provider"
    entry: Entry
    secret_id: str = ""
    attempt: str = ""
    updated_at: int

    def put_key(self, key: str, attempt: str) -> str:
        """Store a key, in the provider's secret or in a new one that the attempt names, and return the secret's id."""
        secrets = aws.secretsmanager()
        if _is_ours(self.secret_id):
            secrets.put_secret_value(SecretId=self.secret_id, SecretString=key)
            return self.secret_id
        secret_id = f"{_prefix()}{self.id}-{attempt}"
        about = f"The key of the provider {self.id}."
        try:
            secrets.create_secret(Name=secret_id, SecretString=key, Description=about)
        except ClientError as error:
            if error.response["Error"]["Code"] != _EXISTS:
                raise
            secrets.put_secret_value(SecretId=secret_id, SecretString=key)
        return secret_id

    def discard_key(self) -> None:
        """Delete the secret at once: a key that nobody uses must not be kept.

        That of the stack from which this one has its table is not this one's to delete: `make destroy` has named it.
        """
        if not _is_ours(self.secret_id):
            return
        try:
            aws.secretsmanager().delete_secret(SecretId=self.secret_id, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != _GONE:
                raise


def _prefix() -> str:
    return f"{settings().STACK_NAME}/providers/"


def _is_ours(secret_id: str) -> bool:
    """Whether this stack may write and delete the secret: a table that was adopted may name those of another stack."""
    return secret_id.startswith(_prefix())


def saved_providers() -> Iterator[SavedProvider]:
    """All of them, by name. One that this version cannot read is logged and left out: the others still answer."""
    for row in table.query(SavedProvider.KIND):
        try:
            yield SavedProvider.from_row(row)
        except ValidationError as error:
            kinds = [finding["type"] for finding in error.errors(include_url=False, include_input=False)]
            logger().error("a saved provider cannot be read", extra={"provider": row["sk"], "wrong": kinds})
