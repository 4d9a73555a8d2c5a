"""Converse as the lab's chat: a request to OpenAI's body, a completion to Converse's answer or its events.

The lab's models answer with text. Where the caller demands a tool, the lab fills the schema of the tool's input, so
that the call of the tool is the model's own answer. `maxTokens` cuts the text, and the stop reason says so.
"""

from __future__ import annotations

from typing import Any

import orjson

from local.fakes.wire import AwsError
from local.lab.tokens import pieces

type Json = dict[str, Any]


def chat_body(model: str, parameters: Json) -> Json:
    """OpenAI's body for the lab."""
    messages = [{"role": "system", "content": block["text"]} for block in parameters.get("system", [])]
    turns = parameters.get("messages", [])
    messages += [{"role": turn["role"], "content": _text(turn["content"])} for turn in turns]
    body: Json = {"model": model, "messages": messages}
    schema = _schema(parameters)
    if schema is not None:
        wanted = {"name": "answer", "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return body


def answer(parameters: Json, completion: Json, latency_ms: int) -> Json:
    """Converse's answer to a completion of the lab."""
    content, stopped, written = _content(parameters, completion)
    usage = completion["usage"]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stopped,
        "usage": {
            "inputTokens": usage["prompt_tokens"],
            "outputTokens": written,
            "totalTokens": usage["prompt_tokens"] + written,
        },
        "metrics": {"latencyMs": latency_ms},
    }


def events(whole: Json) -> list[Json]:
    """The same answer as the events of a stream."""
    streamed: list[Json] = [{"messageStart": {"role": "assistant"}}]
    for index, block in enumerate(whole["output"]["message"]["content"]):
        streamed += _block_events(index, block)
    streamed.append({"messageStop": {"stopReason": whole["stopReason"]}})
    streamed.append({"metadata": {"usage": whole["usage"], "metrics": whole["metrics"]}})
    return streamed


def _block_events(index: int, block: Json) -> list[Json]:
    at = {"contentBlockIndex": index}
    if "text" in block:
        deltas: list[Json] = [{"text": piece} for piece in pieces(block["text"])]
        started = []
    else:
        use = block["toolUse"]
        deltas = [{"toolUse": {"input": orjson.dumps(use["input"]).decode()}}]
        start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
        started = [{"contentBlockStart": {"start": start, **at}}]
    return [*started, *({"contentBlockDelta": {"delta": delta, **at}} for delta in deltas), {"contentBlockStop": at}]


def _content(parameters: Json, completion: Json) -> tuple[list[Json], str, int]:
    text = completion["choices"][0]["message"]["content"]
    written = completion["usage"]["completion_tokens"]
    tool = _demanded(parameters)
    if tool is not None:
        use = {"toolUseId": f"tooluse_{completion['id'][-20:]}", "name": tool["name"], "input": orjson.loads(text)}
        return [{"toolUse": use}], "tool_use", written
    most = parameters.get("inferenceConfig", {}).get("maxTokens")
    if most is not None and written > most:
        return [{"text": "".join(list(pieces(text))[:most])}], "max_tokens", most
    return [{"text": text}], "end_turn", written


def _schema(parameters: Json) -> Json | None:
    tool = _demanded(parameters)
    if tool is not None:
        schema: Json = tool["inputSchema"]["json"]
        return schema
    wanted = parameters.get("outputConfig", {}).get("textFormat")
    if wanted is None:
        return None
    try:
        asked: Json = orjson.loads(wanted["structure"]["jsonSchema"]["schema"])
    except orjson.JSONDecodeError as error:
        raise AwsError("ValidationException", f"The schema is no JSON: {error}") from error
    return asked


def _demanded(parameters: Json) -> Json | None:
    """The tool that the caller demands: the named one, or the first where any will do."""
    config = parameters.get("toolConfig", {})
    choice = config.get("toolChoice", {})
    tools = [tool["toolSpec"] for tool in config.get("tools", []) if "toolSpec" in tool]
    if "any" in choice and tools:
        first: Json = tools[0]
        return first
    name = choice.get("tool", {}).get("name")
    return next((tool for tool in tools if tool["name"] == name), None)


def _text(blocks: list[Json]) -> str:
    """The text of a turn; calls of tools and their results are shown to the lab as JSON."""
    texts = []
    for block in blocks:
        if "text" in block:
            texts.append(block["text"])
        elif "toolUse" in block:
            texts.append(orjson.dumps(block["toolUse"]).decode())
        elif "toolResult" in block:
            texts.append(orjson.dumps(block["toolResult"]["content"]).decode())
        else:
            raise AwsError("ValidationException", f"The model does not read {next(iter(block), 'empty')} blocks.")
    return "\n".join(texts)
