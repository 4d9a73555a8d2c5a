"""`cosine`: the cosine of the embeddings of both texts, which one request brings.

In: the texts and the name of the embedding model. Out: the cosine, from -1 to 1, and the model's own name. An answer
that is no two vectors raises `NotGradable`.
"""

from __future__ import annotations

import math
from array import array
from base64 import b64decode
from typing import Any

from graders.grade import Models, NotGradable


async def cosine(text: str, reference: str, *, model: str, models: Models) -> tuple[float, str]:
    if not reference.strip():
        raise NotGradable("the reference is empty")
    if not text.strip():
        return 0.0, model
    response = await models.embed({"model": model, "input": [text, reference], "encoding_format": "base64"})
    try:
        ours, theirs = (_vector(one["embedding"]) for one in sorted(response["data"], key=lambda one: one["index"]))
        dot = math.sumprod(ours, theirs)
        found = dot / (math.hypot(*ours) * math.hypot(*theirs))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotGradable(f"embedding model '{model}' did not answer with two vectors of one length") from error
    if not math.isfinite(found):
        raise NotGradable(f"embedding model '{model}' did not answer with finite numbers")
    return min(max(found, -1.0), 1.0), response.get("model") or model


def _vector(embedding: Any) -> list[float]:
    """As numbers, or as OpenAI's base64 of little-endian 32-bit floats."""
    if isinstance(embedding, str):
        return array("f", b64decode(embedding, validate=True)).tolist()
    return [float(number) for number in embedding]
