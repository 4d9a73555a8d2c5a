"""The lab as one ASGI app: its routes, and errors in OpenAI's form.

In: requests, and the store with what an earlier lab has kept; without a store the app starts with no files, jobs or
recordings. Out: `create_app()`. Any bearer token is accepted, and none is needed.
"""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.lab.batches import Batches
from local.lab.chat import Chat
from local.lab.controls import Controls
from local.lab.faults import Faults, FaultsMiddleware
from local.lab.files import Files
from local.lab.models import Models
from local.lab.recordings import Recordings
from local.lab.store import Store
from local.lab.tuning import Tuning
from local.lab.wire import ApiError, JsonResponse, error_response, new_id


def create_app(store: Store | None = None) -> Starlette:
    store = store or Store(None)
    models = Models(Recordings(store))
    files = Files(store)
    chat = Chat(models)
    tuning = Tuning(models, files, store)
    batches = Batches(chat, files)
    faults = Faults([])
    return Starlette(
        routes=[
            Mount("/v1", routes=[*_api_routes(models, files, chat, tuning), *_batch_routes(batches)]),
            Mount("/lab", routes=_lab_routes(Controls(models, chat, tuning, batches, store), faults)),
        ],
        middleware=[Middleware(RequestIdMiddleware), Middleware(FaultsMiddleware, faults=faults)],
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _crash},
    )


def _api_routes(models: Models, files: Files, chat: Chat, tuning: Tuning) -> list[Route]:
    async def list_models(_: Request) -> Response:
        return JsonResponse({"object": "list", "data": [model.as_object() for model in models.all()]})

    async def retrieve_model(request: Request) -> Response:
        return JsonResponse(models.get(request.path_params["model_id"]).as_object())

    jobs = "/fine_tuning/jobs"
    return [
        Route("/chat/completions", chat.create, methods=["POST"]),
        Route("/models", list_models),
        Route("/models/{model_id:path}", retrieve_model),
        Route("/files", files.create, methods=["POST"]),
        Route("/files", files.list),
        Route("/files/{file_id}", files.retrieve),
        Route("/files/{file_id}", files.delete, methods=["DELETE"]),
        Route("/files/{file_id}/content", files.content),
        Route(jobs, tuning.create, methods=["POST"]),
        Route(jobs, tuning.list),
        Route(f"{jobs}/{{job_id}}", tuning.retrieve),
        Route(f"{jobs}/{{job_id}}/cancel", tuning.cancel, methods=["POST"]),
        Route(f"{jobs}/{{job_id}}/pause", tuning.pause, methods=["POST"]),
        Route(f"{jobs}/{{job_id}}/resume", tuning.resume, methods=["POST"]),
        Route(f"{jobs}/{{job_id}}/events", tuning.events),
        Route(f"{jobs}/{{job_id}}/checkpoints", tuning.checkpoints),
    ]


def _batch_routes(batches: Batches) -> list[Route]:
    return [
        Route("/batches", batches.create, methods=["POST"]),
        Route("/batches", batches.list),
        Route("/batches/{batch_id}", batches.retrieve),
        Route("/batches/{batch_id}/cancel", batches.cancel, methods=["POST"]),
    ]


def _lab_routes(controls: Controls, faults: Faults) -> list[Route]:
    return [
        Route("/recordings", controls.record, methods=["POST"]),
        Route("/models", controls.school, methods=["POST"]),
        Route("/faults", faults.order, methods=["POST"]),
        Route("/health", controls.health),
        Route("/calls", controls.calls),
    ]


class RequestIdMiddleware:
    """Gives every answer the `x-request-id` that the SDK shows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = new_id("req_")
            await send(message)

        await self._app(scope, receive, named)


async def _api_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return error_response(error)


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    url = f"{request.method} {request.url.path}"
    return error_response(ApiError(error.status_code, f"{error.detail}: {url}", code="unknown_url"))


async def _crash(_: Request, error: Exception) -> Response:
    message = f"The lab has a defect: {type(error).__name__}. Its log tells more."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return error_response(ApiError(status, message, code="internal_error", kind="server_error"))
