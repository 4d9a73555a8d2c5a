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
    alone: int
    """Of these, the calls without earlier answers, each of which is a conversation."""

    def separate(self, rows: int = 0) -> float:
        """The share of the rows that say something by themselves.

        The rows are these completions, or so many of which these are some. Of those there may be more conversations
        than are seen here, but surely no fewer.
        """
        if not self.features:
            return 1.0
        together = self.conversations - self.alone
        return self.alone / len(self.features) + together / max(rows, len(self.features))


def observed(completions: Iterable[Completion], slice_keys: list[str], mask: Mask | None) -> Observed:
    """What is noted of completions; those that are no sound chat completions are left out."""
    features: list[Features] = []
    sample, conversations, alone = Sample(mask), set[str](), 0
    for completion in completions:
        sound = sound_features(completion, slice_keys, mask=mask)
        if sound:
            features.append(sound)
            sample.note(completion)
            conversation = _conversation(completion)
            alone += conversation is None
            conversations |= {conversation} if conversation is not None else set()
    return Observed(features, sample.words(), len(conversations) + alone, alone)


def _conversation(completion: Completion) -> str | None:
    """What the turns of one conversation have in common: what was said up to the user's first words.

    None for a call without earlier answers, which is one of its own: many users may begin with the same words.
    """
    roles = [message.get("role") for message in completion.messages]
    if "assistant" not in roles or "user" not in roles:
        return None
    return prefix_keys(completion.messages)[roles.index("user")]
