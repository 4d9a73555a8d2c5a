"""One row's sample: the stored one, or what a model now answers to the row's input.

In: a row `{item, sample?, request?}` and the run's data source. Out: a chat completion, and whether it was to be JSON.
"""

from __future__ import annotations

from typing import Any

from aliases.alias import Alias
from aliases.choosing import Call, choose
from completions.system_prompt import instructed
from evals.data_sources import DataSource, ItemReference, JsonlSource, ResponsesSource, SampledSource
from graders import NotGradable
from graders.template import look_up, render_messages
from grading.calls import Calls
from providers import Answer, ProviderRefused

_RENAMED = {"max_completions_tokens": "max_completion_tokens"}
# Parameters of a stored request that are not passed on: the run sets them, or with them the answer would not be one
# chat completion with one choice.
_NOT_SAMPLING = frozenset({"model", "messages", "metadata", "n", "store", "stream", "stream_options"})
_INPUT = "item.input"
# How providers refuse a parameter that they do not take; OpenAI's models that reason give no log-probabilities, by 403.
_NOT_TAKEN = frozenset({400, 403, 422})


async def sample_row(
    row: dict[str, Any],
    source: DataSource,
    calls: Calls,
    alias: Alias | None = None,
    *,
    without_logprobs: bool = False,
) -> Answer:
    """The model's answer if the source names a model, else the stored sample; an empty answer if there is neither.

    A stored sample was paid by who made it, not by this run.
    A model that refuses to give the log-probabilities which the source asks for is asked again, `without_logprobs`.
    Raises NotGradable if the stored sample is an error or no request can be built, and what `calls` raises.
    """
    if isinstance(source, JsonlSource) or not source.model:
        if row.get("sample") is None:
            return Answer({}, 0)
        if row["sample"].get("error"):
            raise NotGradable(f"the sample came with an error: {row['sample']['error']['message']}")
        return Answer(_as_completion(row["sample"]), int(row.get("latency_ms") or 0), paid=False)
    try:
        return await calls.complete(request_for(row, source, alias))
    except ProviderRefused as refusal:
        own = source.sampling_params or {}
        if not without_logprobs or "logprobs" not in own or refusal.status not in _NOT_TAKEN:
            raise
    others = {name: value for name, value in own.items() if name != "logprobs"}
    return await calls.complete(request_for(row, source.model_copy(update={"sampling_params": others}), alias))


def asked_of(row: dict[str, Any], source: DataSource, alias: Alias | None = None) -> dict[str, Any]:
    """What the model was asked: the request of the sample, or of a stored one the parameters that its row has."""
    if isinstance(source, JsonlSource) or not source.model:
        known = row.get("request")
        return known if isinstance(known, dict) else {}
    return request_for(row, source, alias)


def request_for(row: dict[str, Any], source: SampledSource, alias: Alias | None = None) -> dict[str, Any]:
    """The request that samples this row. The run's own sampling parameters override those of the stored request.

    Where the run's model is an alias, its target for this row is asked, as in production.
    """
    parameters = _parameters(row, source)
    known = {name: value for name, value in parameters.items() if value is not None and name not in _NOT_SAMPLING}
    messages = _messages(row, source)
    return {
        **{_RENAMED.get(name, name): value for name, value in known.items()},
        "model": _target(alias, row, messages) if alias else source.model,
        "messages": messages,
    }


def _target(alias: Alias, row: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    metadata = row["item"].get("metadata")
    tags = (
        {name: value for name, value in metadata.items() if isinstance(value, str)}
        if isinstance(metadata, dict)
        else {}
    )
    return choose(alias.routing, alias.salt, Call({}, messages, tags)).model


def _parameters(row: dict[str, Any], source: SampledSource) -> dict[str, Any]:
    own = source.sampling_params or {}
    return {**row.get("request", {}), **(_as_chat(own) if isinstance(source, ResponsesSource) else own)}


def asked_json(row: dict[str, Any], source: DataSource) -> bool | None:
    """Whether the row's request or the run's parameters ask for JSON; None where neither says what was asked."""
    if isinstance(source, JsonlSource):
        return None
    if not source.model and "request" not in row and not source.sampling_params:
        return None
    wanted = _parameters(row, source).get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") != "text"


def _as_chat(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the Responses API under their names in a chat completion."""
    chat = {name: value for name, value in parameters.items() if name not in {"text", "tools"}}
    wanted = (parameters.get("text") or {}).get("format")
    if wanted:
        named = {name: value for name, value in wanted.items() if name != "type"}
        chat["response_format"] = {"type": wanted["type"], **({wanted["type"]: named} if named else {})}
    if parameters.get("tools"):
        functions = [{name: value for name, value in tool.items() if name != "type"} for tool in parameters["tools"]]
        chat["tools"] = [{"type": "function", "function": function} for function in functions]
    return chat


def _messages(row: dict[str, Any], source: SampledSource) -> list[dict[str, Any]]:
    """What the model is asked: the row's messages or the template's, under the run's own system prompt if any."""
    messages = _asked_messages(row, source)
    if source.system_prompt is None:
        return messages
    asked = instructed(messages, source.system_prompt.text)
    if not asked:
        raise NotGradable("without its system messages the row has no message")
    return asked


def _asked_messages(row: dict[str, Any], source: SampledSource) -> list[dict[str, Any]]:
    wanted, item = source.input_messages, row["item"]
    if wanted is None or isinstance(wanted, ItemReference):
        path = wanted.item_reference if wanted else _INPUT
        messages = row["messages"] if path == _INPUT and "messages" in row else look_up(path, {"item": item})
        if not isinstance(messages, list) or not messages:
            raise NotGradable(f"'{path}' holds no messages")
        return messages
    return render_messages([message.model_dump() for message in wanted.template], {"item": item})


def _as_completion(sample: dict[str, Any]) -> dict[str, Any]:
    """A row's sample as a chat completion; the row may have one, or only its `output_text`."""
    if "choices" in sample:
        return sample
    message = {"role": "assistant", "content": sample.get("output_text", "")}
    if sample.get("output_tools"):
        message["tool_calls"] = sample["output_tools"]
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], **sample}
