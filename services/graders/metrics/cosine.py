"""`cosine`: the cosine of the embeddings of both texts, which come from one request.

In: the texts and the name of the embedding model. Out: the cosine, from -1 to 1, and the model's name in the answer.
Raises `NotGradable` if the answer is not two vectors of finite numbers.
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
        data = sorted(response["data"], key=lambda entry: entry["index"])
        ours, theirs = (_vector(entry["embedding"]) for entry in data)
        similarity = math.sumprod(ours, theirs) / (math.hypot(*ours) * math.hypot(*theirs))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotGradable(f"embedding model '{model}' did not answer with two vectors of one length") from error
    if not math.isfinite(similarity):
        raise NotGradable(f"embedding model '{model}' did not answer with finite numbers")
    return min(max(similarity, -1.0), 1.0), response.get("model") or model


def _vector(embedding: Any) -> list[float]:
    """The numbers of an embedding, which comes as a list or as OpenAI's base64 of little-endian 32-bit floats."""
    if isinstance(embedding, str):
        return array("f", b64decode(embedding, validate=True)).tolist()
    return [float(number) for number in embedding]
