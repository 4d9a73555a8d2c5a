"""`/v1/batches`: answers a file of chat completion requests with a file of answers.

In: OpenAI's requests; a line of the input file is `{"custom_id", "method", "url", "body"}`. Out: batch objects and
cursor pages, newest first; when a batch has ended, files of answers and of refusals, a line a request, in no promised
order. Fails: a file that is not there or not for batches is a 400 that names the field; a file with a bad line ends
its batch as `failed`, with the line's number.
"""

import asyncio
import time
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from local.lab.chat import Chat, ChatRequest
from local.lab.files import Files
from local.lab.wire import ApiError, JsonResponse, checked, new_id, page, read_body

_LISTED, _MOST_LISTED = 20, 100
_MOST_LINES = 50_000
_DAY = 86_400
_ENDED = frozenset({"completed", "failed", "cancelled"})


class BatchRequest(BaseModel):
    """The body of a request for a batch."""

    input_file_id: Annotated[str, Field(min_length=1)]
    endpoint: Literal["/v1/chat/completions"]
    completion_window: Literal["24h"]
    metadata: dict[str, str] | None = None


class _Line(BaseModel):
    custom_id: Annotated[str, Field(min_length=1)]
    method: Literal["POST"]
    url: Literal["/v1/chat/completions"]
    body: dict[str, Any]


class Batches:
    """All batches and their endpoints."""

    def __init__(self, chat: Chat, files: Files) -> None:
        self._chat = chat
        self._files = files
        self._batches: dict[str, dict[str, Any]] = {}
        self._working: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._batches)

    async def create(self, request: Request) -> Response:
        wanted = await read_body(request, BatchRequest)
        file = self._files.find(wanted.input_file_id)
        if file is None or file.about["purpose"] != "batch":
            message = f"'{wanted.input_file_id}' is no file with the purpose 'batch'."
            raise ApiError(400, message, param="input_file_id", code="invalid_input_file")
        batch = _new(wanted)
        self._batches[batch["id"]] = batch
        working = asyncio.create_task(self._work(batch, file.content))
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        return JsonResponse(batch)

    async def list(self, request: Request) -> Response:
        return page(reversed(self._batches.values()), request.query_params, limit=_LISTED, most=_MOST_LISTED)

    async def retrieve(self, request: Request) -> Response:
        return JsonResponse(self._asked_for(request))

    async def cancel(self, request: Request) -> Response:
        batch = self._asked_for(request)
        if batch["status"] in _ENDED:
            message = f"Batch '{batch['id']}' has already ended: {batch['status']}."
            raise ApiError(400, message, code="batch_not_cancellable")
        batch |= {"status": "cancelling", "cancelling_at": int(time.time())}
        return JsonResponse(batch)

    def _asked_for(self, request: Request) -> dict[str, Any]:
        batch = self._batches.get(request.path_params["batch_id"])
        if batch is None:
            raise ApiError(404, f"No batch found with id '{request.path_params['batch_id']}'.", param="batch_id")
        return batch

    async def _work(self, batch: dict[str, Any], content: bytes) -> None:
        try:
            lines = _lines(content)
        except ValueError as error:
            fault = {"code": "invalid_line", "message": str(error), "line": error.args[1], "param": None}
            _enter(batch, "failed", errors={"object": "list", "data": [fault]})
            return
        if batch["status"] == "validating":
            _enter(batch, "in_progress")
        counts = batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
        answered: list[bytes] = []
        refused: list[bytes] = []
        for line in lines:
            if batch["status"] == "cancelling":
                break
            response = await self._response(line.body)
            fine = response["status_code"] == 200  # noqa: PLR2004 - an HTTP status
            counts["completed" if fine else "failed"] += 1
            answer = {"id": new_id("batch_req_"), "custom_id": line.custom_id, "response": response, "error": None}
            (answered if fine else refused).append(orjson.dumps(answer))
            await asyncio.sleep(0)
        for kind, written in (("output", answered), ("error", refused)):
            if written:
                content = b"\n".join(written) + b"\n"
                file = self._files.add(content, filename=f"{batch['id']}_{kind}.jsonl", purpose="batch_output")
                batch[f"{kind}_file_id"] = file["id"]
        _enter(batch, "cancelled" if batch["status"] == "cancelling" else "completed")

    async def _response(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            status, answer = 200, await self._chat.complete(checked(ChatRequest, body))
        except ApiError as error:
            status, answer = error.status, error.body
        return {"status_code": status, "request_id": new_id("req_"), "body": answer}


def _new(wanted: BatchRequest) -> dict[str, Any]:
    at = int(time.time())
    ends = ("in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at")
    return {
        "id": new_id("batch_"),
        "object": "batch",
        **wanted.model_dump(),
        "status": "validating",
        "errors": None,
        "output_file_id": None,
        "error_file_id": None,
        "created_at": at,
        "expires_at": at + _DAY,
        **dict.fromkeys([*ends, "cancelled_at"]),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
    }


def _enter(batch: dict[str, Any], status: str, **fields: Any) -> None:
    batch |= {**fields, "status": status, f"{status}_at": int(time.time())}


def _lines(content: bytes) -> list[_Line]:
    """The requests of an input file. Raises ValueError with the reason and the number of a line that is no request."""
    lines: dict[str, _Line] = {}
    for number, raw in enumerate(content.splitlines(), start=1):
        try:
            line = _Line.model_validate_json(raw)
        except ValueError:
            raise ValueError("This line is no request of a batch.", number) from None
        if line.custom_id in lines:
            raise ValueError(f"The custom_id '{line.custom_id}' is used twice.", number)
        lines[line.custom_id] = line
    if not lines or len(lines) > _MOST_LINES:
        raise ValueError(f"A batch has from 1 to {_MOST_LINES} requests.", len(lines))
    return list(lines.values())
