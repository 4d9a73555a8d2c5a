"""Errors by their fate, and their OpenAI-shaped body.

    StillhouseError
    ├── ApiError              the caller's fault: refused, never retried; carries status, code and the field
    └── RetryLater            transient: the message goes back to its queue

Anything else is unplanned and surfaces at the edge.
"""

from __future__ import annotations

from typing import Any


class StillhouseError(Exception):
    """Base of what this code raises on purpose."""


class RetryLater(StillhouseError):
    """The work cannot be done now (a lease is held, a provider is away) and must be delivered again."""


class ApiError(StillhouseError):
    """A refusal in OpenAI's shape: `{"error": {message, type, param, code}}`."""

    status = 400
    type = "invalid_request_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.status = status or self.status
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class NotFound(ApiError):
    """No such object."""

    status = 404

    def __init__(self, kind: str, object_id: str, *, param: str = "id") -> None:
        super().__init__(f"No {kind} found with id '{object_id}'.", code="not_found", param=param)


class Conflict(ApiError):
    """The object is not in a state that allows this. The SDK must not retry it."""

    status = 409

    def __init__(self, message: str, *, code: str = "conflict", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param, headers={"x-should-retry": "false"})


class TooLarge(ApiError):
    """The body exceeds a documented limit."""

    status = 413


class Unauthorized(ApiError):
    """No valid key."""

    status = 401


class Forbidden(ApiError):
    """A valid key without the scope."""

    status = 403


class ModelNotFound(ApiError):
    """No provider answers to this model name."""

    status = 404

    def __init__(self, model: str, *, param: str = "model") -> None:
        super().__init__(
            f"The model '{model}' does not exist at the configured provider.",
            code="model_not_found",
            param=param,
        )
