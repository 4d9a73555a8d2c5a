"""`/v1/files`: uploaded files.

In: multipart uploads with a `purpose`. Out: file objects, lists of them, raw content. Fails: a missing part
or an unknown purpose is a 400 that names it, an unknown id a 404.
"""

import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from local.lab.store import Store
from local.lab.wire import ApiError, JsonResponse, new_id, page

_KIND = "files"
_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_MOST_LISTED = 10_000
_EXPIRY_SECONDS = range(3_600, 2_592_001)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One uploaded file."""

    about: dict[str, Any]
    content: bytes


class Files:
    """All uploaded files and their endpoints."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files: dict[str, StoredFile] = {}
        for file_id, document in store.kept(_KIND).items():
            about, _, content = document.partition(b"\n")
            self._files[file_id] = StoredFile(orjson.loads(about), content)

    def find(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    async def create(self, request: Request) -> Response:
        async with request.form() as form:
            upload, purpose = form.get("file"), form.get("purpose")
            if not isinstance(upload, UploadFile):
                raise ApiError(400, "'file' is a required part.", param="file", code="missing_required_parameter")
            if purpose not in _PURPOSES:
                expected = ", ".join(_PURPOSES)
                raise ApiError(
                    400,
                    f"'{purpose}' is not one of {expected} - 'purpose'.",
                    param="purpose",
                    code="invalid_value",
                )
            content, expiry = await upload.read(), _expiry(form)
        extra = {} if expiry is None else {"expires_at": int(time.time()) + expiry}
        return JsonResponse(self.add(content, filename=upload.filename or "upload", purpose=purpose, **extra))

    def add(self, content: bytes, *, filename: str, purpose: str, **extra: Any) -> dict[str, Any]:
        """Keep a file; returns its file object."""
        about = {
            "id": new_id("file-"),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            **extra,
        }
        self._files[about["id"]] = StoredFile(about, content)
        self._store.keep(_KIND, about["id"], orjson.dumps(about) + b"\n" + content)
        return about

    async def list(self, request: Request) -> Response:
        purpose, order = request.query_params.get("purpose"), request.query_params.get("order", "desc")
        rows = [file.about for file in self._files.values() if purpose in {None, file.about["purpose"]}]
        if order == "desc":
            rows.reverse()
        return page(rows, request.query_params, limit=_MOST_LISTED, most=_MOST_LISTED)

    async def retrieve(self, request: Request) -> Response:
        return JsonResponse(self._asked_for(request).about)

    async def content(self, request: Request) -> Response:
        return Response(self._asked_for(request).content, media_type="application/octet-stream")

    async def delete(self, request: Request) -> Response:
        file_id = self._asked_for(request).about["id"]
        del self._files[file_id]
        self._store.drop(_KIND, file_id)
        return JsonResponse({"id": file_id, "object": "file", "deleted": True})

    def _asked_for(self, request: Request) -> StoredFile:
        file_id = request.path_params["file_id"]
        file = self.find(file_id)
        if file is None:
            raise ApiError(404, f"No such File object: {file_id}", param="id")
        return file


def _expiry(form: FormData) -> int | None:
    seconds = form.get("expires_after[seconds]")
    if seconds is None:
        return None
    if not isinstance(seconds, str) or not seconds.isdecimal() or int(seconds) not in _EXPIRY_SECONDS:
        message = f"'expires_after[seconds]' must be from {_EXPIRY_SECONDS[0]} to {_EXPIRY_SECONDS[-1]}."
        raise ApiError(400, message, param="expires_after[seconds]", code="invalid_value")
    return int(seconds)
