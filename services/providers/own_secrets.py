"""Secrets that this stack stores for its providers, in Secrets Manager, under a prefix that its policies name.

In: a text and the id of the secret that holds it so far. Out: the id of the secret that holds it. They are never read
here, returned or logged.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from foundation import aws
from foundation.settings import settings

_EXISTS = "ResourceExistsException"
_GONE = "ResourceNotFoundException"


def put(text: str, held: str, name: str, about: str) -> str:
    """Store a text in the secret that holds it so far, or in a new one of this name. Returns the secret's id."""
    secrets = aws.secretsmanager()
    if _is_ours(held):
        secrets.put_secret_value(SecretId=held, SecretString=text)
        return held
    secret_id = f"{_prefix()}{name}"
    try:
        secrets.create_secret(Name=secret_id, SecretString=text, Description=about)
    except ClientError as error:
        if error.response["Error"]["Code"] != _EXISTS:
            raise
        secrets.put_secret_value(SecretId=secret_id, SecretString=text)
    return secret_id


def discard(secret_id: str) -> None:
    """Delete a secret at once: one that nobody uses must not be kept.

    That of the stack from which this one has its table is not this one's to delete: `make destroy` has named it.
    """
    if not _is_ours(secret_id):
        return
    try:
        aws.secretsmanager().delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != _GONE:
            raise


def _prefix() -> str:
    return f"{settings().STACK_NAME}/providers/"


def _is_ours(secret_id: str) -> bool:
    """Whether this stack may write and delete the secret: a table that was adopted may name those of another stack."""
    return secret_id.startswith(_prefix())
