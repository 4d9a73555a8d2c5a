"""`stillhouse import <source>`: the command line of the importers.

In: a source and its options; Stillhouse's URL and the keys from the environment. Out: a progress bar on standard
error, the counts on standard output. Exit code 1 where the import stopped, or, with --strict, where something did not
come over; 130 where the user stopped it. Run again after either it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stillhouse.importing.evals.command import openai_evals, promptfoo
from stillhouse.importing.terminal import RETRIES, Strict, To, key_of, told_in_a_line

# The sources and what they stand on are imported when one is run: the SDK alone takes most of a second.
if TYPE_CHECKING:
    from openai import OpenAI

    from stillhouse.importing.record import Record
    from stillhouse.importing.source import Source
    from stillhouse.importing.state import Counts

app = typer.Typer(no_args_is_help=True, help="Import completions and evals from another system.")
app.command("openai-evals")(openai_evals)
app.command("promptfoo")(promptfoo)

StateFile = Annotated[
    Path | None, typer.Option("--state", help="Where to remember how far it is; else under ~/.local/state.")
]
Model = Annotated[str | None, typer.Option(help="The model of rows that name none.")]
Group = Annotated[bool, typer.Option("--group", help="Keep ids of traces, sessions, episodes, users as metadata.")]
OfModel = Annotated[str | None, typer.Option("--model", help="Only completions of this model.")]
WithMetadata = Annotated[
    list[str] | None, typer.Option("--metadata", metavar="KEY=VALUE", help="Only with this metadata; may be repeated.")
]
Files = Annotated[Path, typer.Argument(help="A file, or a folder of them: JSON lines or a JSON array, also gzip'd.")]


@app.command()
def openai(
    *,
    to: To,
    base_url: Annotated[str | None, typer.Option(envvar="OPENAI_BASE_URL", help="Of any server with this API.")] = None,
    model: OfModel = None,
    metadata: WithMetadata = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Stored completions of OpenAI; the key is OPENAI_API_KEY."""

    def client() -> OpenAI:
        from openai import OpenAI

        return OpenAI(base_url=base_url, max_retries=RETRIES)

    _import(partial(_stored, client, "openai", model, metadata), to, state, strict=strict)


@app.command()
def azure(
    *,
    to: To,
    endpoint: Annotated[str, typer.Option(envvar="AZURE_OPENAI_ENDPOINT", help="https://….openai.azure.com")],
    api_version: Annotated[
        str | None, typer.Option(envvar="OPENAI_API_VERSION", help="Of the dated API; without it, /openai/v1.")
    ] = None,
    model: OfModel = None,
    metadata: WithMetadata = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Stored completions of Azure OpenAI; the key is AZURE_OPENAI_API_KEY."""

    def client() -> OpenAI:
        from openai import AzureOpenAI, OpenAI

        if api_version:
            return AzureOpenAI(azure_endpoint=endpoint, api_version=api_version, max_retries=RETRIES)
        url = f"{endpoint.rstrip('/').removesuffix('/openai/v1')}/openai/v1"
        # Without one the SDK would send OPENAI_API_KEY, which is somebody else's.
        return OpenAI(base_url=url, api_key=key_of("AZURE_OPENAI_API_KEY"), max_retries=RETRIES)

    _import(partial(_stored, client, "azure", model, metadata), to, state, strict=strict)


@app.command()
def bedrock(
    place: Annotated[str, typer.Argument(help="s3://bucket/prefix, or a local copy of it.")],
    *,
    to: To,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Amazon Bedrock's model invocation logs; AWS credentials as everywhere."""

    def source() -> Source:
        from stillhouse.importing import bedrock_logs

        return bedrock_logs.source(place)

    _import(source, to, state, strict=strict)


@app.command()
def langfuse(
    file: Files,
    *,
    to: To,
    model: Model = None,
    group: Group = False,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Observations of type GENERATION from a Langfuse export."""

    def source() -> Source:
        from stillhouse.importing import langfuse as rows

        options = {"source": rows.ORIGIN, "model": model, "group": group}
        return _in_files(file, options, lambda row, _: rows.record_of(row, model=model, group=group))

    _import(source, to, state, strict=strict)


@app.command()
def tensorzero(
    file: Files,
    *,
    to: To,
    model: Model = None,
    group: Group = False,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Inferences or datapoints of TensorZero."""

    def source() -> Source:
        from stillhouse.importing import tensorzero as rows

        options = {"source": rows.ORIGIN, "model": model, "group": group}
        return _in_files(file, options, lambda row, _: rows.record_of(row, model=model, group=group))

    _import(source, to, state, strict=strict)


@app.command()
def jsonl(
    file: Files,
    *,
    to: To,
    model: Model = None,
    reference: Annotated[
        str | None, typer.Option(metavar="FIELD", help="The field with the known right answer, such as metadata.label.")
    ] = None,
    state: StateFile = None,
    strict: Strict = False,
) -> None:
    """Our own records, or OpenAI's fine-tuning format, whose last message is the answer."""

    def source() -> Source:
        from stillhouse.importing import jsonl as rows

        given = {"model": model, "reference": reference}
        options = {"source": rows.ORIGIN, **given}
        return _in_files(file, options, lambda row, created: rows.record_of(row, created=created, **given))

    _import(source, to, state, strict=strict)


def _in_files(file: Path, options: dict[str, Any], record_of: Callable[[dict[str, Any], int], Record]) -> Source:
    """Rows of files; `record_of` gets a row and the time of its file."""
    from stillhouse.importing.files import FileSource, LocalFolder

    folder = LocalFolder(file)
    identity = {"place": str(folder.path), **options}
    return FileSource(folder, lambda row, name: record_of(row, folder.modified(name)), identity)


def _stored(client: Callable[[], OpenAI], origin: str, model: str | None, metadata: list[str] | None) -> Source:
    from openai import OpenAIError

    from stillhouse.importing.source import Stopped
    from stillhouse.importing.stored import StoredSource

    pairs = dict(pair.partition("=")[::2] for pair in metadata or ())
    if not all("=" in pair for pair in metadata or ()):
        raise Stopped("--metadata takes KEY=VALUE")
    try:
        return StoredSource(client(), origin, model=model, metadata=pairs)
    except OpenAIError as error:
        raise Stopped(str(error)) from None


def _import(make: Callable[[], Source], to: str, file: Path | None, *, strict: bool) -> None:
    with told_in_a_line():
        from stillhouse.capturing.endpoint import Endpoint
        from stillhouse.importing import report
        from stillhouse.importing.push import push
        from stillhouse.importing.state import State, path_for

        endpoint = Endpoint(to.rstrip("/"), key_of("STILLHOUSE_API_KEY"))
        source = make()
        identity = {**source.identity, "to": endpoint.base_url}
        state = State(file or path_for(identity), identity)
        with report.progress(source) as told:
            counts = push(source, endpoint, state, told=told)
    typer.echo(report.summary(counts, state.refusals))
    raise typer.Exit(_code(counts, strict=strict))


def _code(counts: Counts, *, strict: bool) -> int:
    return int(strict and bool(counts.refused or counts.unmapped))
