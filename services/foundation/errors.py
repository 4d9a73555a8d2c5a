"""The errors that this code raises on purpose, ordered by what happens next.

    StillhouseError
    ├── ApiError              the caller's fault: answered with status, code and field, never retried by us
    └── RetryLater            a transient failure: the message goes back to its queue
        └── AtWork            another delivery works on the object: that one brings it to its end

Any other exception is a bug or an outage; the edge of the function logs it.
"""

from __future__ import annotations

from typing import Any


class StillhouseError(Exception):
    """Base class of both."""


class RetryLater(StillhouseError):
    """The work cannot be done now (a lease is held, a provider does not answer); SQS must deliver it again."""


class AtWork(RetryLater):
    """Another invocation holds the lease of the object that a message is about."""


class ApiError(StillhouseError):
    """A refusal that the API answers in OpenAI's shape: `{"error": {message, type, param, code}}`.

    `param` names the field that is wrong, `code` is for programs, `message` says what to do about it.
    """

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
        """The body of the HTTP answer."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class NotFound(ApiError):
    """No object of this kind has this id."""

    status = 404

    def __init__(self, kind: str, object_id: str, *, param: str = "id") -> None:
        super().__init__(f"No {kind} found with id '{object_id}'.", code="not_found", param=param)


class Conflict(ApiError):
    """The object is not in a state that allows this. The answer's header tells OpenAI's SDK not to retry."""

    status = 409

    def __init__(self, message: str, *, code: str = "conflict", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param, headers={"x-should-retry": "false"})


class TooLarge(ApiError):
    """The request's body exceeds a documented limit."""

    status = 413


class Unauthorized(ApiError):
    """The request carries no valid API key."""

    status = 401


class Forbidden(ApiError):
    """The API key is valid but has not the scope that the route asks for."""

    status = 403


class ModelNotFound(ApiError):
    """No provider serves a model of this name."""

    status = 404

    def __init__(self, model: str, *, param: str = "model") -> None:
        super().__init__(
            f"The model '{model}' does not exist at the configured provider.",
            code="model_not_found",
            param=param,
        )
