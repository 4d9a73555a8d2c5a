"""The data source of a new run: refused where it could never run, naming the field.

In: the data source of a new run. Out: the same, with the eval's own filter applied and large inline rows kept as a
file.
"""

from __future__ import annotations

from typing import Any

import orjson

from aliases.alias import Alias
from completions import index
from completions.sources import WHERE_TO_LOOK, StoredCompletions, StoredResponses
from evals.data_sources import DataSource, FileContent, FileId, JsonlSource, ResponsesSource
from evals.eval import Eval
from evals.files import File, file_key, file_of_rows, rows_file_id
from foundation import blobs
from foundation.errors import ApiError
from foundation.ids import now
from providers.required_model import require_model

# An item of the table ends at 400 KB, and a run is an item.
_MOST_INLINE = 200_000


def narrowed_by_eval(data_source: DataSource, eval_: Eval) -> DataSource:
    """The source narrowed by the metadata of an eval of stored completions or logs."""
    source = data_source.source
    own = _pairs(eval_.data_source_config.get("metadata"))
    if not own or not isinstance(source, StoredCompletions | StoredResponses):
        return data_source
    for name, value in source.metadata.items():
        if own.get(name, value) != value:
            raise ApiError(
                f"The eval selects metadata.{name} '{own[name]}', the run '{value}': nothing has both.",
                code="no_rows",
                param=f"data_source.source.metadata.{name}",
            )
    narrowed = source.model_copy(update={"metadata": {**own, **source.metadata}})
    return data_source.model_copy(update={"source": narrowed})


def _pairs(metadata: Any) -> dict[str, str]:
    return {name: value for name, value in (metadata or {}).items() if isinstance(value, str)}


def with_one_model(data_source: DataSource) -> DataSource:
    """The source of a run by batch with the model of the alias that it names, where this has no other."""
    alias = Alias.find(data_source.model) if not isinstance(data_source, JsonlSource) and data_source.model else None
    if alias is None or not getattr(data_source, "batch", None) or len(alias.routing.answering) > 1:
        return data_source
    return data_source.model_copy(update={"model": alias.routing.main})


def check_source(data_source: DataSource) -> None:
    """Raise ApiError, or what the lookup of a model raises, where a run of this source could never run."""
    source = data_source.source
    if isinstance(source, FileId):
        file_of_rows(source.id, param="data_source.source.id")
    elif not isinstance(source, FileContent) and next(index.completions(source, limit=1), None) is None:
        raise ApiError(
            f"The filter selects no stored completion. {WHERE_TO_LOOK}", code="no_rows", param="data_source.source"
        )
    if isinstance(data_source, JsonlSource):
        return
    if data_source.model:
        _require_model(data_source.model, batch=bool(data_source.batch))
    elif data_source.input_messages or data_source.batch:
        needed_by = "input_messages need" if data_source.input_messages else "A batch needs"
        raise ApiError(f"{needed_by} a model to answer.", code="missing_required_parameter", param="data_source.model")
    if isinstance(data_source, ResponsesSource):
        parameters = data_source.sampling_params or {}
        _refuse_other_formats(parameters.get("text"))
        _refuse_hosted_tools(parameters.get("tools"))


def _require_model(name: str, *, batch: bool) -> None:
    """Raises ApiError where the name is neither a model's nor an alias's, or where a batch would ask several models."""
    if Alias.find(name) is None:
        require_model(name, param="data_source.model")
    elif batch:
        raise ApiError(
            f"Invalid 'data_source.batch': '{name}' is an alias of several models, and a batch asks one. Name it.",
            code="invalid_value",
            param="data_source.batch",
        )


def _refuse_other_formats(text: Any) -> None:
    wanted = text.get("format", {"type": "text"}) if isinstance(text, dict) else text
    if wanted is not None and not (isinstance(wanted, dict) and isinstance(wanted.get("type"), str)):
        raise ApiError(
            "Invalid 'data_source.sampling_params.text': give a format with a type, as the Responses API does.",
            code="invalid_value",
            param="data_source.sampling_params.text",
        )


def _refuse_hosted_tools(tools: Any) -> None:
    if tools is not None and not isinstance(tools, list):
        raise ApiError(
            "Invalid 'data_source.sampling_params.tools': a list is expected.",
            code="invalid_value",
            param="data_source.sampling_params.tools",
        )
    for position, tool in enumerate(tools or []):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise ApiError(
                "Models are asked by chat completions, which know tools of type 'function' only.",
                code="unsupported_tool",
                param=f"data_source.sampling_params.tools[{position}]",
            )


def rows_of(data_source: DataSource) -> int | None:
    """How many rows there will be, where that is known before they are planned."""
    source = data_source.source
    return len(source.content) if isinstance(source, FileContent) else None


def source_as_kept(data_source: DataSource, run_id: str) -> DataSource:
    """The source as the run keeps it: many inline rows lie in a file, which the run then names."""
    source = data_source.source
    if not isinstance(source, FileContent):
        return data_source
    lines = b"".join(orjson.dumps(row.model_dump(exclude_none=True)) + b"\n" for row in source.content)
    if len(lines) <= _MOST_INLINE:
        return data_source
    file_id = rows_file_id(run_id)
    blobs.put(file_key(file_id), lines)
    File(
        id=file_id,
        created_at=now(),
        bytes=len(lines),
        filename=f"{run_id}.jsonl",
        purpose="evals",
        key=file_key(file_id),
    ).create()
    return data_source.model_copy(update={"source": FileId(type="file_id", id=file_id)})
