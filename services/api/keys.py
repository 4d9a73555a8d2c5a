"""Keys: create, retrieve, list, revoke, with the scope `admin`.

A new key's secret is in the answer to its POST and nowhere else, so that a repeated POST makes another key. What a key
says of `store`, `metadata` and `fallback_model` holds for its calls through the gateway that do not say it themselves.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from completions.completion import Metadata
from foundation import http, keys
from foundation.api_keys import ApiKey, KeyDocument, NewKeyDocument
from foundation.document import Body, Deleted
from foundation.routes import PAGE, Routes, Scope

router = Routes("Keys")


class NewKey(Body):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=128)
    """For people, to tell keys apart."""
    scopes: Annotated[list[Scope], Field(min_length=1)]
    """What the key may do: `admin` may do everything."""
    store: bool | None = Field(default=None, strict=True)
    """Whether the gateway captures calls that do not say it themselves."""
    metadata: Metadata | None = None
    """Tags of those captured calls."""
    fallback_model: str | None = Field(default=None, pattern=r"^[!-~]{1,256}$")
    """The model that the gateway asks where the first one is busy, broken or silent."""


@router.post("/v1/keys", scope="admin", status=201)
def create_key(asked: NewKey) -> NewKeyDocument:
    """Create a key.

    The answer has the secret, which nobody can read again; a request that is sent twice makes two keys.
    """
    key, token = keys.create(**{**asked.model_dump(), "scopes": list(dict.fromkeys(asked.scopes))})
    return key.with_token(token)


@router.get("/v1/keys/<key_id>", scope="admin")
def retrieve_key(key_id: str) -> KeyDocument:
    """Retrieve a key, without its secret."""
    return ApiKey.load(key_id, param="key_id").public()


@router.get("/v1/keys", scope="admin", lists=KeyDocument, query=PAGE)
def list_keys() -> dict[str, Any]:
    """List keys, those that are revoked too."""
    return http.list_of(router, ApiKey, ApiKey.public)


@router.delete("/v1/keys/<key_id>", scope="admin", errors={409: "This is the last valid key with the scope `admin`."})
def revoke_key(key_id: str) -> Deleted:
    """Revoke a key.

    It ends everywhere within a minute and can still be retrieved. Revoking it again is no error.
    """
    keys.revoke(key_id, router.lambda_context)
    return Deleted(id=key_id, object="key.deleted")
