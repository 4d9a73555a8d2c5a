"""Files: upload, list, retrieve, content, delete. Shapes: OpenAI's.

In: a multipart upload of at most 4 MB, or a request for a link that takes more. Rows and examples are looked at line by
line before they are kept; what comes by a link is looked at when a run or a trainer reads it. Content goes by a link,
which the SDK follows.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, NamedTuple

from aws_lambda_powertools.event_handler import Response
from pydantic import BeforeValidator, Field, ValidationError

from api import retried
from api.needed import refuse_while_needed, refuse_while_trained_on
from distillations.formats.report import FileReport, OddRows
from distillations.trainers import TrainerName
from evals.data_sources import FileId
from evals.files import File, FileStatus, check_lines, file_key
from foundation import aws, blobs, http, links
from foundation.document import Body, Document
from foundation.errors import ApiError, Conflict, NotFound, TooLarge
from foundation.field_errors import field_error
from foundation.ids import now
from foundation.links import LINK_S
from foundation.routes import AFTER, ORDER, Query, Routes
from foundation.settings import settings

router = Routes("Files")
_TEMPORARY_REDIRECT = 307
LINK = {"location": "A link to the content. It needs no key and ends after 15 minutes."}
_MOST_LISTED = 10_000
_MOST_BY_LINK = 128 * 1024 * 1024

_ELSEWHERE = {
    "assistants": "send it to the provider itself",
    "batch": "upload it to the provider itself and make the batch there, with the provider's own base URL and key; or "
    "let a run with a model answer the rows, at the price of a batch if its data source says batch: true",
    "user_data": "send it to the provider itself",
    "vision": "send it to the provider itself, or put the image into a message",
}
"""What to do with a file of OpenAI's other purposes, which nothing here would read."""


def _is_read(purpose: Any) -> Any:
    if isinstance(purpose, str) and purpose in _ELSEWHERE:
        raise ValueError(f"nothing here reads files of the purpose '{purpose}': {_ELSEWHERE[purpose]}")
    return purpose


type _Seconds = Annotated[int, Field(ge=3600, le=2_592_000)]


class _About(Body):
    """What is said of a file before its bytes come."""

    filename: str = Field(min_length=1, max_length=512)
    purpose: Annotated[Literal["evals", "fine-tune"], BeforeValidator(_is_read)]
    """What it is for: the rows of evals, or the examples of a fine-tuning job."""


class Upload(_About):
    """The fields of a multipart upload."""

    anchor: Literal["created_at"] | None = Field(default=None, alias="expires_after[anchor]")
    seconds: _Seconds | None = Field(default=None, alias="expires_after[seconds]")
    trainer: TrainerName | None = None
    """The trainer that a file of the purpose `fine-tune` is for. Without it, it is checked as OpenAI takes it."""
    odd_rows: OddRows = "mend"
    """What becomes of rows of a `fine-tune` file that trainers take and that teach wrong things. With `mend` a repeated
    row is left out, a code fence around JSON is taken off, and a file is refused in which two rows answer one question
    otherwise, or a row is longer than 16,385 tokens. With `keep` the report tells of them alone."""


class UploadForm(Upload):
    """A multipart upload: a file and what it is for."""

    file: bytes
    """The content: JSONL, a row or an example on each line."""


class ExpiresAfter(Body):
    """When it goes by itself."""

    anchor: Literal["created_at"]
    seconds: _Seconds


class Announced(_About):
    """A file that will come by a link."""

    bytes: int = Field(gt=0, le=_MOST_BY_LINK)
    """The size of the file, which the link holds the upload to."""
    expires_after: ExpiresAfter | None = None


class FileDocument(Document):
    """What is known of a file."""

    id: str
    object: Literal["file"] = "file"
    created_at: int
    """Seconds UTC."""
    bytes: int
    filename: str
    purpose: str
    status: FileStatus
    """`uploaded` while nobody has looked at its lines: it came, or will come, by a link."""
    expires_at: int | None
    """Seconds UTC; null for a file that stays."""
    report: FileReport | None
    """What was found in the examples of a `fine-tune` file, and what was mended; null for other files, and for those
    that came by a link, which the trainer checks when a job starts."""


class AnnouncedFile(FileDocument):
    """A file that is awaited, and the link that takes it."""

    upload_url: str
    """Where to PUT the file."""
    upload_url_expires_at: int
    """Seconds UTC."""


class _Form(NamedTuple):
    fields: dict[str, str]
    content: bytes


@router.post("/v1/files", scope="write", body=UploadForm, takes="multipart/form-data", answer=FileDocument)
def upload_file() -> dict[str, Any]:
    """Upload a file of at most 4 MB; POST /v1/files/presigned takes larger ones."""
    form = _form()
    try:
        asked = Upload.model_validate(form.fields)
    except ValidationError as error:
        raise field_error(error, form.fields, Upload) from error
    # The SDK's retries draw a new boundary: what counts is what is in the form.
    cause = f"{sorted(form.fields.items())}{hashlib.sha256(form.content).hexdigest()}".encode()
    file_id = retried.object_id(router, "file-", body=cause)
    content, fields = _checked(form.content, asked)
    blobs.put(file_key(file_id), content)
    return _created(file_id, asked, len(content), asked.seconds, **fields).public()


@router.post("/v1/files/presigned", scope="write")
def announce_file(asked: Announced) -> AnnouncedFile:
    """Get a link for a file of at most 128 MB, and PUT the file there.

    The link ends after 15 minutes.
    """
    file_id = retried.object_id(router, "file-")
    seconds = asked.expires_after.seconds if asked.expires_after else None
    file = _created(file_id, asked, asked.bytes, seconds, status="uploaded")
    url = aws.s3().generate_presigned_url(
        "put_object",
        Params={"Bucket": settings().BUCKET, "Key": file.key, "ContentLength": asked.bytes},
        ExpiresIn=LINK_S,
    )
    return AnnouncedFile(**file.public(), upload_url=url, upload_url_expires_at=now() + LINK_S)


@router.get(
    "/v1/files",
    scope="read",
    lists=FileDocument,
    query=(
        AFTER,
        Query("limit", "How many files a page has: 1 to 10000, 10000 if absent.", {"type": "integer"}),
        ORDER,
        Query("purpose", "Only files of this purpose."),
    ),
)
def list_files() -> dict[str, Any]:
    """List files, the newest first."""
    limit = http.limit_of(router, default=_MOST_LISTED, most=_MOST_LISTED)
    purpose = http.query_of(router, "purpose")
    every = File.every(after=http.query_of(router, "after"), descending=http.descending(router, default="desc"))
    wanted = (file for file in every if not file.expired and purpose in {None, file.purpose})
    return http.listed((file.public() for file in wanted), limit)


@router.get("/v1/files/<file_id>", scope="read", answer=FileDocument)
def retrieve_file(file_id: str) -> dict[str, Any]:
    """Retrieve what is known of a file."""
    return File.load(file_id, param="file_id").public()


@router.get("/v1/files/<file_id>/content", scope="read", status=307, headers=LINK)
def file_content(file_id: str) -> Response[Any]:
    """Download a file, by a link that ends after 15 minutes."""
    return download(File.load(file_id, param="file_id").key)


@router.delete(
    "/v1/files/<file_id>",
    scope="write",
    answer="openai.types.FileDeleted",
    errors={409: "A distillation needs the file for its test rows, or a fine-tuning job trains on it."},
)
def delete_file(file_id: str) -> dict[str, Any]:
    """Delete a file, also one that has expired."""
    file = File.find(file_id)
    if file is None:
        raise NotFound(File.NAME, file_id, param="file_id")
    if not file.owned:
        raise Conflict("This file holds the test rows of a distillation, which it keeps.", code="file_in_use")
    refuse_while_needed(
        lambda distillation: isinstance(distillation.test, FileId) and distillation.test.id == file_id,
        f"the file {file_id}",
        "file_in_use",
    )
    refuse_while_trained_on(file_id)
    file.discard()
    return {"id": file_id, "object": "file", "deleted": True}


def download(key: str) -> Response[Any]:
    """Large files go by a link that ends after a quarter of an hour; the SDK follows it."""
    headers = {"location": links.to_object(key)}
    return Response(_TEMPORARY_REDIRECT, "application/json", "", headers=headers)


def _checked(content: bytes, asked: Upload) -> tuple[bytes, dict[str, Any]]:
    """What is kept of an upload, and what is known of it. Raises ApiError where its lines are not what it is for."""
    if asked.purpose == "evals":
        check_lines(content)
        return content, {}
    # Imported here: only files that are to train need the formats.
    from api.training_files import accepted

    kept, report = accepted(content, asked.trainer, asked.odd_rows)
    return kept, {"report": report.model_dump(mode="json")}


def _created(file_id: str, asked: _About, size: int, seconds: int | None, **fields: Any) -> File:
    at = now()
    file = File(
        id=file_id,
        created_at=at,
        bytes=size,
        filename=asked.filename,
        purpose=asked.purpose,
        expires_at=None if seconds is None else at + seconds,
        key=file_key(file_id),
        **fields,
    )
    return file if file.create() else File.load(file_id)


def _form() -> _Form:
    """The fields and the one file of a multipart body, its name among the fields."""
    # Imported here: only uploads need it, and a cold start is 10 ms shorter without.
    from python_multipart import create_form_parser
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import Field as FormField
    from python_multipart.multipart import File as FormFile

    fields: dict[str, str] = {}
    contents: list[bytes] = []

    def on_field(field: FormField) -> None:
        fields[(field.field_name or b"").decode()] = (field.value or b"").decode()

    def on_file(file: FormFile) -> None:
        if file.field_name == b"file":
            file.file_object.seek(0)
            contents.append(file.file_object.read())
            fields["filename"] = (file.file_name or b"upload").decode()

    body = _body()
    kind = router.current_event.headers.get("content-type", "")
    try:
        # Kept in memory whole: the body has its limit already.
        settings_ = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}
        parser = create_form_parser({"Content-Type": kind.encode()}, on_field, on_file, config=settings_)
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as error:
        raise ApiError(
            "The body is not multipart/form-data with the fields 'file' and 'purpose'.", code="invalid_form"
        ) from error
    if len(contents) != 1:
        raise ApiError("Missing required parameter: 'file'.", code="missing_required_parameter", param="file")
    return _Form(fields, contents[0])


def _body() -> bytes:
    try:
        return http.raw_body(router)
    except TooLarge as error:
        raise TooLarge(
            f"An upload has at most {http.MAX_BODY} bytes. POST /v1/files/presigned with filename, purpose and bytes "
            "answers with a link: PUT the file there.",
            code="request_too_large",
            param="file",
        ) from error
