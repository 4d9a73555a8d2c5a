"""The kinds of providers: the registry that the API and the choice of a provider read.

To add one: a line here, and the module that it names, with `make_provider(entry, key=…, pace=…)`. That module is
imported where a provider of the kind is asked for the first time: a cold start need not know every cloud's client.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema


class Kind(NamedTuple):
    """Where a kind is implemented, what it is, for people who choose one, and which fields it needs and takes.

    An `implied` kind is a provider by its own name, too, in the stack's region: trained models may be served by it.
    One that `sends_webhooks` may tell of the end of a job that it trains.
    """

    module: str
    description: str
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    implied: bool = False
    sends_webhooks: bool = False


KINDS: dict[str, Kind] = {
    "openai": Kind(
        "openai_compatible",
        "any server with OpenAI's API, asked with a key",
        needs=frozenset({"base_url"}),
        takes=frozenset({"base_url", "api_key", "responses"}),
        sends_webhooks=True,
    ),
    "sagemaker": Kind(
        "sagemaker",
        "an endpoint of Amazon SageMaker, asked at `/openai/v1` with a token that the stack signs",
        needs=frozenset({"base_url", "models"}),
        takes=frozenset({"base_url", "region"}),
        implied=True,
    ),
    "bedrock": Kind(
        "bedrock.converse",
        "models and deployments of custom models of Amazon Bedrock, by Converse",
        needs=frozenset({"models"}),
        takes=frozenset({"base_url", "region"}),
        implied=True,
    ),
    "bedrock_imported": Kind(
        "bedrock.imported",
        "models that were imported into Amazon Bedrock, by InvokeModel",
        needs=frozenset({"models"}),
        takes=frozenset({"base_url", "region"}),
        implied=True,
    ),
}


def _known(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"use one of {', '.join(KINDS)}")
    return name


type KindName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "enum": list(KINDS),
            "description": "; ".join(f"`{name}`: {kind.description}" for name, kind in KINDS.items()),
        }
    ),
]
"""A kind that the registry has."""
