"""What is noted of an alias's traffic: of each completion its labels and amounts, and to which conversation it belongs.

In: references. Out: features, the words of a sample of questions. Texts are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from assembly.masking import Mask
from assembly.report.features import Features
from assembly.report.survey import Sample, sound_features
from completions.completion import Completion
from completions.same_input import prefix_keys


class Observed(NamedTuple):
    """Traffic, or what was selected for training."""

    features: list[Features]
    """In the order of time."""
    words: dict[str, Counter[str]]
    """The words of a sample of questions, by the id of the completion."""
    conversations: int
    """How many of the completions say something by themselves."""
    answered: Counter[str]
    """How many each model answered."""

    @property
    def separate(self) -> float:
        """The share of the completions that say something by themselves."""
        return self.conversations / len(self.features) if self.features else 1.0


def observed(completions: Iterable[Completion], slice_keys: list[str], mask: Mask | None) -> Observed:
    """What is noted of completions; those that are no sound chat completions are left out."""
    features: list[Features] = []
    sample, conversations, answered = Sample(mask), set[str](), Counter[str]()
    for completion in completions:
        sound = sound_features(completion, slice_keys, mask=mask)
        if sound:
            features.append(sound)
            sample.note(completion)
            conversations.add(_conversation(completion))
            answered[completion.model] += 1
    return Observed(features, sample.words(), len(conversations), answered)


def _conversation(completion: Completion) -> str:
    """What the turns of one conversation have in common: what was said up to the user's first words.

    A call without earlier answers is one of its own, since many users may begin with the same words.
    """
    roles = [message.get("role") for message in completion.messages]
    if "assistant" not in roles or "user" not in roles:
        return f"call {completion.id}"
    return prefix_keys(completion.messages)[roles.index("user")]
