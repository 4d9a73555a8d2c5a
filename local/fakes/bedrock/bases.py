"""The foundation models that the fake has, and which model of the lab stands behind each.

In: a model id, with or without the context length that only customization names. Out: the lab's model.
"""

from __future__ import annotations

from local.fakes.wire import AwsError

TRAINABLE = (
    "amazon.nova-micro-v1:0:128k",
    "amazon.nova-lite-v1:0:300k",
    "amazon.nova-pro-v1:0:300k",
    "amazon.nova-2-lite-v1:0:256k",
)
_INFERENCE = {name.rpartition(":")[0] for name in TRAINABLE}
LAB_BASE = "lab-small"


def lab_base(bases: dict[str, str], identifier: str) -> str | None:
    """The lab's model behind a foundation model or its inference profile; None for any other id."""
    name = identifier.rpartition("/")[2]
    plain = next((known for known in _INFERENCE if name == known or name.endswith(f".{known}")), None)
    return bases.get(plain, LAB_BASE) if plain else None


def base_of(bases: dict[str, str], customized: str) -> str:
    """The lab's model that is trained for a customization of this model, whose id ends in its context length."""
    return bases.get(customized.rpartition(":")[0], LAB_BASE)


def trainable(identifier: str) -> str:
    """The id of a model that can be customized. Raises AWS's refusal for any other."""
    name = identifier.rpartition("/")[2]
    if name not in TRAINABLE:
        raise AwsError("ValidationException", f"The model {identifier} cannot be customized.")
    return name
