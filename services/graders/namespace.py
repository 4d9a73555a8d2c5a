"""What graders and templates see of an answer as `sample`, in the names of OpenAI's graders.

In: a chat completion of any provider, or the sample that a row brought itself. Out: `output_text`, `output_json`,
`output_tools`, `output_audio`, `reasoning`, `choices`, `model`, `grades`. Without an answer there is nothing to see.
"""

from __future__ import annotations

from typing import Any

import orjson

from completions.messages import calls_of, reasoning_of, text_of

PARTS = ("output_json", "output_tools", "output_audio")
"""What an answer may lack or have in another shape. That is a failure of the model, and no error of the grader."""

_KINDS = {
    "output_text": str,
    "output_tools": list,
    "output_audio": dict,
    "reasoning": str,
}
"""What a row's own sample may bring under these names."""


def namespace(completion: dict[str, Any], *, asked_json: bool | None) -> dict[str, Any]:
    """The `sample` of templates; what the completion has under these names itself goes before what its message says.

    `output_json` is null where the text is no JSON. It is absent if `asked_json` is False: then nobody asked for JSON,
    and a text such as `12` is no number. None says that it is not known what was asked.
    """
    if not completion:
        return {}
    choices = completion.get("choices") or []
    message = choices[0]["message"] if choices else {}
    seen: dict[str, Any] = {
        "output_text": text_of(message.get("content")),
        "output_tools": calls_of(message),
        "output_audio": message.get("audio"),
        "reasoning": reasoning_of(message),
        "choices": choices,
        "model": completion.get("model", ""),
        "grades": completion.get("grades") or [],
    }
    seen |= {name: completion[name] for name, kind in _KINDS.items() if isinstance(completion.get(name), kind)}
    if "output_json" in completion:
        seen["output_json"] = completion["output_json"]
    elif asked_json is not False:
        seen["output_json"] = _json(seen["output_text"])
    return seen


def _json(text: Any) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
