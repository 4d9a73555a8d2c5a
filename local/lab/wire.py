"""The manners of OpenAI's API: error bodies, request bodies checked against a model, cursor pages.

In: raw requests. Out: checked values and JSON responses. Fails with `ApiError`, which the app turns into
`{"error": {"message", "type", "param", "code"}}`.
"""

import secrets
import string
from collections.abc import Iterable
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

_ALPHABET = string.ascii_letters + string.digits
_UNION_TAGS = {"int", "float", "str", "bool", "constrained-int", "constrained-float", "constrained-str"}


class ApiError(Exception):
    """An answer other than success, with the fields that OpenAI's clients read."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class JsonResponse(Response):
    """A JSON answer, written by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def error_response(error: ApiError) -> JsonResponse:
    # The SDK retries a 409 unless told not to; none of ours would end differently.
    headers = {"x-should-retry": "false"} if error.status == 409 else None  # noqa: PLR2004 - an HTTP status
    return JsonResponse(error.body, status_code=error.status, headers=headers)


def new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(24))


async def read_body[Body: BaseModel](request: Request, model: type[Body]) -> Body:
    """Parse the request's JSON body with `model`; an absent or wrong field is a 400 that names it."""
    try:
        data = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"We could not parse the JSON body of your request: {error}") from error
    return checked(model, data)


def checked[Body: BaseModel](model: type[Body], data: Any) -> Body:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = _param(first["loc"]) or None
        missing = first["type"] == "missing"
        message = (
            f"Missing required parameter: '{param}'."
            if missing
            else f"Invalid value for '{param or 'body'}': {first['msg']}."
        )
        code = "missing_required_parameter" if missing else "invalid_value"
        raise ApiError(400, message, param=param, code=code) from error


def _param(loc: tuple[str | int, ...]) -> str:
    """Write a pydantic location as OpenAI does (`messages[0].role`), without the names of union members."""
    param = ""
    for part in loc:
        if isinstance(part, int):
            param += f"[{part}]"
        elif part not in _UNION_TAGS and not part.startswith(("literal[", "list[", "dict[")):
            param += f".{part}" if param else part
    return param


def page(rows: Iterable[dict[str, Any]], query: QueryParams, *, limit: int, most: int) -> JsonResponse:
    """Answer with one cursor page of `rows`; an `after` that is not among them gives an empty page."""
    size = _limit(query, limit, most)
    rows = list(rows)
    after = query.get("after")
    if after is not None:
        ids = [row["id"] for row in rows]
        rows = rows[ids.index(after) + 1 :] if after in ids else []
    data = rows[:size]
    return JsonResponse(
        {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(rows) > size > 0,
        },
    )


def _limit(query: QueryParams, default: int, most: int) -> int:
    text = query.get("limit", str(default))
    if not text.isdecimal():
        raise ApiError(400, "'limit' must be a whole number.", param="limit", code="invalid_value")
    return min(int(text), most)


def metadata_filter(query: QueryParams) -> dict[str, str]:
    """Read the `metadata[key]=value` pairs of a list call."""
    return {
        key[len("metadata[") : -1]: value
        for key, value in query.items()
        if key.startswith("metadata[") and key.endswith("]")
    }
