"""The trainers that a distillation may name: the registry that API, jobs and `tuning` read.

To add one: a line here, and the module that it names in `tuning/trainers/`. That module is imported only where a job of
the trainer is at work, since libraries know no function and a cold start need not know every provider's SDK.

A hosted trainer trains in the account of a provider that is configured, with its key. Such a provider may be named as
the trainer, too: its address tells which of the trainers it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema, WrapValidator

from distillations.formats import OPENAI, Method
from distillations.hyperparameters import (
    AzureHyperparameters,
    FireworksHyperparameters,
    GivenHyperparameters,
    NebiusHyperparameters,
    NovaHyperparameters,
    OpenAIHyperparameters,
    OwnHyperparameters,
    SageMakerHyperparameters,
    TogetherHyperparameters,
)
from providers.registry import Known, configured

_HOSTED = "openai"
"""The kind of the providers in whose accounts hosted trainers train."""


type IdleCost = Literal["nothing", "by_the_hour", "until_it_sleeps", "own_machine", "unknown"]
"""What a model costs while nobody asks it: `nothing`, an instance `by_the_hour`, an instance that gives itself back
after a while without calls (`until_it_sleeps`), or what your `own_machine` costs."""


class TrainerEntry(NamedTuple):
    """Where a trainer is implemented, what it is, for people who choose one, and what it takes."""

    module: str
    description: str
    hyperparameters: type[GivenHyperparameters]
    """What it takes beside the files."""
    formats: Mapping[Method, str]
    """The format of its training files, by the methods that it trains by."""
    hosts: tuple[str, ...] = ()
    """The ends of the names of its hosts, for one that trains in the account of a provider; empty for others."""
    idle: IdleCost = "unknown"
    """What its models cost while nobody asks them."""
    pauses: bool = False
    """Whether it can pause a job."""
    least_examples: int = 1
    """How many examples it wants at least."""
    checkpoints: bool = False
    """Whether it keeps models of a training before its end that answer without being deployed."""


TRAINERS: dict[str, TrainerEntry] = {
    "default": TrainerEntry(
        "openai_compatible",
        "OpenAI's fine-tuning API, at the default provider",
        OpenAIHyperparameters,
        OPENAI,
        hosts=("api.openai.com",),
        idle="nothing",
        pauses=True,
        least_examples=10,
        checkpoints=True,
    ),
    "file": TrainerEntry(
        "file",
        "files for a training on your own machine: the job waits until you name the model",
        OwnHyperparameters,
        OPENAI,
        idle="own_machine",
    ),
    "bedrock": TrainerEntry(
        "bedrock",
        "Amazon Nova, fine-tuned and served on demand by Amazon Bedrock",
        NovaHyperparameters,
        {"supervised": "bedrock-conversation-2024"},
        idle="nothing",
        least_examples=8,
    ),
    "sagemaker": TrainerEntry(
        "sagemaker",
        "open models such as Qwen, fine-tuned by Amazon SageMaker without servers and served by its endpoints",
        SageMakerHyperparameters,
        {"supervised": "sagemaker-chat", "dpo": "sagemaker-preference"},
        idle="by_the_hour",
    ),
    "azure": TrainerEntry(
        "openai_compatible",
        "models of OpenAI and others, fine-tuned and deployed by Azure, for those who are its customers already",
        AzureHyperparameters,
        OPENAI,
        hosts=("openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"),
        idle="by_the_hour",
        pauses=True,
        least_examples=10,
    ),
    "nebius": TrainerEntry(
        "openai_compatible",
        "open models, fine-tuned with LoRA by Nebius Token Factory and served there by the token",
        NebiusHyperparameters,
        {"supervised": "nebius-chat"},
        hosts=("tokenfactory.nebius.com", "studio.nebius.com"),
        idle="nothing",
    ),
    "together": TrainerEntry(
        "together",
        "open models, fine-tuned by Together and served by an endpoint of their own that stops without calls",
        TogetherHyperparameters,
        {"supervised": "together-chat", "dpo": "together-preference"},
        hosts=("api.together.ai", "api.together.xyz"),
        idle="until_it_sleeps",
    ),
    "fireworks": TrainerEntry(
        "fireworks",
        "open models, fine-tuned with LoRA by Fireworks and served by deployments that scale to zero",
        FireworksHyperparameters,
        {"supervised": "fireworks-chat", "dpo": "fireworks-dpo"},
        hosts=("fireworks.ai",),
        idle="until_it_sleeps",
        least_examples=3,
    ),
}


def kind_of(name: str) -> str:
    """The name in the registry of what trains by this name: itself, or that of who trains at the provider of the name.

    Raises KeyError where neither a trainer nor a provider has the name.
    """
    if name in TRAINERS:
        return name
    provider = _provider(name)
    if provider is None:
        raise KeyError(name)
    return next((kind for kind, entry in TRAINERS.items() if _is_at(provider, entry)), "default")


def entry_of(name: str) -> TrainerEntry:
    """What is registered for the trainer of this name. Raises KeyError as `kind_of` does."""
    return TRAINERS[kind_of(name)]


def pauses(name: str) -> bool:
    """Whether the trainer of this name can pause a job; one that is gone cannot."""
    try:
        return entry_of(name).pauses
    except KeyError:
        return False


def provider_of(name: str) -> Known | None:
    """The provider in whose account a trainer trains: the one of its name, else the first at its hosts.

    None where the trainer needs none, and where none is configured.
    """
    entry = TRAINERS.get(name)
    if entry and not entry.hosts:
        return None
    return _provider(name) or next((known for known in configured() if entry and _is_at(known, entry)), None)


def _provider(name: str) -> Known | None:
    return next((known for known in configured() if known.name == name and known.entry.kind == _HOSTED), None)


def _is_at(known: Known, entry: TrainerEntry) -> bool:
    host = known.entry.host
    return known.entry.kind == _HOSTED and any(host == end or host.endswith(f".{end}") for end in entry.hosts)


def _known(name: str) -> str:
    try:
        entry = entry_of(name)
    except KeyError:
        raise ValueError(
            f"use one of {', '.join(TRAINERS)}, or the name of a provider with a fine-tuning API"
        ) from None
    if entry.hosts and provider_of(name) is None:
        raise ValueError(f"no provider is configured at {entry.hosts[0]}: add one, POST /v1/providers")
    return name


type TrainerName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "examples": list(TRAINERS),
            "description": "; ".join(f"`{name}`: {entry.description}" for name, entry in TRAINERS.items())
            + "; or the name of a provider with OpenAI's fine-tuning API, Azure's, Nebius', Together's or Fireworks'",
        }
    ),
]
"""A name that the registry has, or that of a provider, as a caller gives it."""


def as_declared(given: Any, _: Any, about: ValidationInfo) -> Any:
    """Check by what the named trainer declares; where the name itself is wrong, by what the default one does."""
    name = about.data.get("trainer") or (about.context or {}).get("trainer", "default")
    entry = entry_of(name)
    return entry.hyperparameters.model_validate(given)


type Hyperparameters = Annotated[
    OpenAIHyperparameters
    | OwnHyperparameters
    | NovaHyperparameters
    | SageMakerHyperparameters
    | FireworksHyperparameters
    | TogetherHyperparameters
    | AzureHyperparameters
    | NebiusHyperparameters,
    WrapValidator(as_declared),
]
"""What a caller asks of the trainer that the field `trainer` names, before it or in the context of the validation; the
arms are all declarations."""
