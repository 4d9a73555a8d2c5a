"""Keys: create, retrieve, list, revoke, with the scope `admin`.

A new key's secret is in the answer to its POST and nowhere else, so that a repeated POST makes another key. What a key
says of `store`, `metadata` and `fallback_model` holds for its calls through the gateway that do not say it themselves.
"""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field

from completions.completion import Metadata
from foundation import http, keys
from foundation.api_keys import ApiKey
from foundation.keys import Scope
from foundation.routes import Routes

router = Routes("Keys")
_CREATED = 201


class NewKey(BaseModel):
    """What a caller sends; a misspelt field would be a policy that does not hold."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=128)
    scopes: Annotated[list[Scope], Field(min_length=1)]
    store: bool | None = Field(default=None, strict=True)
    metadata: Metadata | None = None
    fallback_model: str | None = Field(default=None, pattern=r"^[!-~]{1,256}$")


@router.post("/v1/keys", scope="admin")
def create_key(asked: NewKey) -> Response[Any]:
    key, token = keys.create(**{**asked.model_dump(), "scopes": list(dict.fromkeys(asked.scopes))})
    return http.answer({**key.public(), "key": token}, _CREATED)


@router.get("/v1/keys/<key_id>", scope="admin")
def retrieve_key(key_id: str) -> dict[str, Any]:
    return ApiKey.load(key_id, param="key_id").public()


@router.get("/v1/keys", scope="admin")
def list_keys() -> dict[str, Any]:
    page = ApiKey.page(
        after=http.query_of(router, "after"),
        limit=http.limit_of(router),
        descending=http.descending(router),
    )
    return http.listed([key.public() for key in page.data], has_more=page.has_more)


@router.delete("/v1/keys/<key_id>", scope="admin")
def revoke_key(key_id: str) -> dict[str, Any]:
    keys.revoke(key_id, router.lambda_context)
    return {"object": "key.deleted", "id": key_id, "deleted": True}
