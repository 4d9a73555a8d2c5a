"""Make the source that an import command names, and push what it reads.

`command` imports this module when an import starts, and not for its help text: the openai SDK, on which everything here
stands, takes most of a second to import.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
from openai import AzureOpenAI, OpenAI, OpenAIError

from stillhouse.capturing.endpoint import Endpoint
from stillhouse.importing import bedrock_logs, langfuse, report, tensorzero
from stillhouse.importing import jsonl as jsonl_rows
from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.push import push
from stillhouse.importing.record import Record
from stillhouse.importing.source import Source
from stillhouse.importing.state import State, path_for
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.stored import StoredSource
from stillhouse.importing.terminal import RETRIES, key_of
from stillhouse.login import key_for

_ROWS: dict[str, ModuleType] = {"langfuse": langfuse, "tensorzero": tensorzero}


def run(source: Source, endpoint: Endpoint, state_file: Path | None, *, strict: bool) -> int:
    """Import everything that the source has, print the counts and return the command's exit code."""
    identity = {**source.identity, "to": endpoint.base_url}
    state = State(state_file or path_for(identity), identity)
    with report.progress(source) as show:
        counts = push(source, endpoint, state, show=show)
    typer.echo(report.summary(counts, state.refusals))
    return int(strict and bool(counts.refused or counts.unmapped))


def stillhouse(to: str) -> Endpoint:
    """Stillhouse's API at this URL; the key is the environment's, else the login's. Raises Stopped without one."""
    return Endpoint(to.rstrip("/"), key_for(to))


def openai(base_url: str | None, model: str | None, metadata: list[str] | None) -> Source:
    """The stored completions at OpenAI, or at another server with its API."""
    return _stored(lambda: OpenAI(base_url=base_url, max_retries=RETRIES), "openai", model, metadata)


def azure(endpoint: str, api_version: str | None, model: str | None, metadata: list[str] | None) -> Source:
    """The stored completions at Azure OpenAI: of its dated API if a version is given, else of /openai/v1."""

    def client() -> OpenAI:
        if api_version:
            return AzureOpenAI(azure_endpoint=endpoint, api_version=api_version, max_retries=RETRIES)
        url = f"{endpoint.rstrip('/').removesuffix('/openai/v1')}/openai/v1"
        # Without a key here the SDK would send OPENAI_API_KEY to Azure.
        return OpenAI(base_url=url, api_key=key_of("AZURE_OPENAI_API_KEY"), max_retries=RETRIES)

    return _stored(client, "azure", model, metadata)


def bedrock(place: str) -> Source:
    """The model invocation logs of Bedrock, in S3 or in a local folder."""
    return bedrock_logs.source(place)


def exported(origin: str, file: Path, *, model: str | None, group: bool) -> Source:
    """The rows of an export of `langfuse` or `tensorzero`."""
    rows = _ROWS[origin]
    identity = {"source": rows.ORIGIN, "model": model, "group": group}
    return _in_files(file, identity, lambda row, _: rows.record_of(row, model=model, group=group))


def jsonl(file: Path, *, model: str | None, reference: str | None) -> Source:
    """Records of Stillhouse's own, or rows in OpenAI's format for fine-tuning."""
    options: dict[str, Any] = {"model": model, "reference": reference}
    identity = {"source": jsonl_rows.ORIGIN, **options}
    return _in_files(file, identity, lambda row, created: jsonl_rows.record_of(row, created=created, **options))


def _in_files(file: Path, options: dict[str, Any], record_of: Callable[[dict[str, Any], int], Record]) -> Source:
    """The rows of these files. `record_of` takes a row and the time at which its file was modified."""
    folder = LocalFolder(file)
    identity = {"place": str(folder.path), **options}
    return FileSource(folder, lambda row, name: record_of(row, folder.modified(name)), identity)


def _stored(client: Callable[[], OpenAI], origin: str, model: str | None, metadata: list[str] | None) -> Source:
    pairs = dict(pair.partition("=")[::2] for pair in metadata or ())
    if not all("=" in pair for pair in metadata or ()):
        raise Stopped("--metadata takes KEY=VALUE")
    try:
        return StoredSource(client(), origin, model=model, metadata=pairs)
    except OpenAIError as error:
        raise Stopped(str(error)) from None
