"""Bedrock's runtime: Converse for foundation models and deployments, InvokeModel for imported models.

In: AWS's parameters. Out: AWS's answers, made by the lab's model behind the id. Fails as AWS does: an unknown id is a
`ValidationException`, a deployment that is gone a `ResourceNotFoundException`.
"""

from __future__ import annotations

import time
from typing import Any

import orjson

from local.fakes.bedrock import converse
from local.fakes.bedrock.bases import lab_base
from local.fakes.bedrock.imports import Imports
from local.fakes.bedrock.models import Deployments
from local.fakes.context import Context
from local.fakes.lab import LabRefused
from local.fakes.wire import AwsError

_SERVER_ERROR = 500


class Runtime:
    """What answers calls of models."""

    def __init__(self, context: Context, deployments: Deployments, imports: Imports) -> None:
        self._context = context
        self._deployments = deployments
        self._imports = imports

    def converse(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if ":imported-model/" in parameters["modelId"]:
            raise AwsError("ValidationException", "Converse is not supported for this imported model.")
        started = time.perf_counter()
        body = converse.chat_body(self._lab_model(parameters["modelId"]), parameters)
        completion = self._asked(body)
        return converse.answer(parameters, completion, round((time.perf_counter() - started) * 1000))

    def converse_stream(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"stream": converse.events(self.converse(parameters))}

    def invoke(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """An imported model takes a chat body of OpenAI, and answers with a completion of OpenAI."""
        if ":imported-model/" not in parameters["modelId"]:
            raise AwsError("ValidationException", "This model has no InvokeModel here: use Converse.")
        lab_model = self._imports.lab_model(parameters["modelId"])
        try:
            body = orjson.loads(parameters.get("body") or b"")
        except orjson.JSONDecodeError as error:
            raise AwsError("ValidationException", f"Malformed input request: {error}") from error
        if "messages" not in body:
            raise AwsError("ValidationException", "Malformed input request: messages is required.")
        completion = self._asked({**body, "model": lab_model, "stream": False})
        return {"body": orjson.dumps({**completion, "model": parameters["modelId"]}), "contentType": "application/json"}

    def _lab_model(self, identifier: str) -> str:
        if ":custom-model-deployment/" in identifier:
            return self._deployments.lab_model(identifier)
        base = lab_base(self._context.controls.bases, identifier)
        if base is None:
            raise AwsError("ValidationException", "The provided model identifier is invalid.")
        return base

    def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._context.lab.chat(body)
        except LabRefused as refusal:
            code = "InternalServerException" if refusal.status >= _SERVER_ERROR else "ValidationException"
            raise AwsError(code, str(refusal)) from refusal
