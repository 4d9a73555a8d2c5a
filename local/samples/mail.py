"""The bundled task: sort the support mail of a made-up shop into ten queues.

In: a seed and sizes. Out: rows with messages, the queue a person filed the mail under, and metadata.
The mails are difficult: the queue depends on what the customer asks for, but mails also mention and quote other
topics, have typing errors, or ask two things, and people misfile a few. The same seed gives the same rows.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from local.samples.rows import Message, Row

FEATURE = "mail-triage"
SENT_TWICE = 0.012
LEAKED = 0.006
# The probability of each trait of a mail.
CHANCE = {
    "misfiled": 0.03,
    "two asks": 0.04,
    "terse": 0.05,
    "subject": 0.7,
    "history": 0.2,
    "own story": 0.2,
    "ask last": 0.75,
    "aside": 0.45,
    "aside first": 0.6,
    "filler": 0.55,
    "angry": 0.18,
    "kind": 0.12,
    "greeting": 0.7,
    "closing": 0.65,
    "footer": 0.2,
}
SHORTEST_MISTYPED = 4

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_SPACES = re.compile(r" {2,}| (?=[.,?])")


@dataclass(frozen=True)
class Queue:
    """One queue's phrases, as one group of customers uses them."""

    name: str
    weight: int
    neighbours: tuple[str, ...]
    subject: tuple[str, ...]
    situation: tuple[str, ...]
    ask: tuple[str, ...]
    aside: tuple[str, ...]
    reply: tuple[str, ...]
    terse: tuple[str, ...]


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


def queue_names() -> list[str]:
    return sorted(_phrases()["queues"])


def prompt() -> str:
    queues = "\n".join(f"- {name}: {_phrases()['queues'][name]['means']}" for name in queue_names())
    return (
        "You sort the support mail of an online shop. What decides is what the customer asks for now, not "
        f"what else is mentioned.\n\nThe queues:\n{queues}\n\n"
        "Answer with the name of one queue and nothing else."
    )


def schooling(seed: int = 42, size: int = 3_000) -> list[Row]:
    """Last year's mail as people filed it, for the teacher; other customers than those of `production`.

    The seed and size are those that the local stack's teacher learns from.
    """
    writer = _Writer(Random(f"{seed}/schooling"))
    return [writer.row("train") for _ in range(size)]


def production(seed: int, train: int, test: int) -> list[Row]:
    """This year's mail, in two parts by time; some mails are sent twice."""
    rng = Random(f"{seed}/production")
    writer = _Writer(rng)
    first = [writer.row("train") for _ in range(train)]
    later = [writer.row("test") for _ in range(test)]
    for rows, share, source in ((first, SENT_TWICE, first), (later, LEAKED, first)):
        for _ in range(max(2, round(len(rows) * share))):
            into = rng.randrange(len(rows))
            again = rng.choice(source)
            rows[into] = again.model_copy(update={"metadata": rows[into].metadata})
    return first + later


class _Writer:
    """Writes mails with the habits of one group of customers: each knows only some of the phrases."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        phrases = _phrases()
        self._queues = {name: self._queue(name, body) for name, body in sorted(phrases["queues"].items())}
        self._weights = [queue.weight for queue in self._queues.values()]
        self._around: dict[str, list[str]] = phrases["around"]
        self._slots: dict[str, list[str]] = phrases["slots"]

    def _queue(self, name: str, body: dict[str, Any]) -> Queue:
        def known(kind: str) -> tuple[str, ...]:
            phrases = body[kind]
            return tuple(self._rng.sample(phrases, max(2, round(len(phrases) * 0.85))))

        return Queue(
            name=name,
            weight=body["weight"],
            neighbours=tuple(body["neighbours"]),
            subject=known("subject"),
            situation=known("situation"),
            ask=known("ask"),
            aside=known("aside"),
            reply=known("reply"),
            terse=known("terse"),
        )

    def _chance(self, trait: str) -> bool:
        return self._rng.random() < CHANCE[trait]

    def row(self, split: str) -> Row:
        rng = self._rng
        queue = rng.choices(list(self._queues.values()), self._weights)[0]
        second = self._queues[rng.choice(queue.neighbours)] if self._chance("two asks") else None
        text = self._mail(queue, second)
        filed = rng.choice([queue, second]) if second else queue
        if self._chance("misfiled"):
            filed = self._queues[rng.choice(queue.neighbours)]
        metadata = {
            "split": split,
            "feature": FEATURE,
            "channel": rng.choices(["email", "form", "app"], [6, 3, 1])[0],
            "ticket": f"T-{rng.randrange(100_000, 999_999)}",
        }
        messages = [Message(role="system", content=prompt()), Message(role="user", content=text)]
        return Row(messages=messages, reference=filed.name, metadata=metadata)

    def _mail(self, queue: Queue, second: Queue | None) -> str:
        rng = self._rng
        slots = {name: rng.choice(values) for name, values in self._slots.items()} | _numbers(rng)
        if not second and self._chance("terse"):
            return _mistype(rng, self._say([queue.terse], slots), 0.01)
        body = _carelessly(rng, self._say(self._body(queue, second), slots))
        parts = [self._greeting(slots), body, self._farewell(slots)]
        if self._chance("subject"):
            parts.insert(0, "Subject: " + self._say([self._subject(queue)], slots))
        if self._chance("history"):
            parts.append(self._history(queue, slots))
        return "\n".join(part for part in parts if part)

    def _body(self, queue: Queue, second: Queue | None) -> list[Sequence[str]]:
        """Return the lists from which a sentence each is drawn, in the order of the sentences."""
        rng, around = self._rng, self._around
        situations = [queue.situation, *(self._queues[name].situation for name in queue.neighbours)]
        story: list[Sequence[str]] = [
            rng.choices(situations, [2 * (len(situations) - 1), *[1] * (len(situations) - 1)])[0]
        ]
        if self._chance("own story"):
            story.append(queue.situation)
        asking: list[Sequence[str]] = [queue.ask]
        if second:
            asking = [queue.ask, around["also"], second.ask]
        body = story + asking if self._chance("ask last") else asking + story
        if self._chance("aside"):
            other = self._queues[rng.choice([name for name in self._queues if name != queue.name])]
            body = [other.aside, around["bridge"], *body] if self._chance("aside first") else [*body, other.aside]
        for kind in ("filler", "angry", "kind"):
            if self._chance(kind):
                body.insert(rng.randrange(len(body) + 1), around[kind])
        return body

    def _say(self, lists: Sequence[Sequence[str]], slots: dict[str, str]) -> str:
        rng = self._rng
        sentences = []
        for phrases in lists:
            text = _CHOICE.sub(lambda choice: rng.choice(choice[1].split("|")), rng.choice(phrases))
            sentences.append(_SLOT.sub(lambda slot: slots[slot[1]], text))
        return _SPACES.sub(lambda spaces: "" if len(spaces[0]) == 1 else " ", " ".join(sentences))

    def _subject(self, queue: Queue) -> Sequence[str]:
        around = self._around
        return self._rng.choices([queue.subject, around["vague"], around["automatic"]], [5, 3, 2])[0]

    def _greeting(self, slots: dict[str, str]) -> str:
        return self._say([self._around["greeting"]], slots) if self._chance("greeting") else ""

    def _farewell(self, slots: dict[str, str]) -> str:
        lines = []
        if self._chance("closing"):
            lines.append(self._say([self._around["closing"]], slots))
            lines.append(slots["name"])
        if self._chance("footer"):
            lines.append(self._say([self._around["footer"]], slots))
        return "\n".join(lines)

    def _history(self, queue: Queue, slots: dict[str, str]) -> str:
        earlier = self._queues[self._rng.choice([*queue.neighbours, *self._queues])]
        quoted = self._say([earlier.reply], slots)
        return f"\nOn {slots['date']} {slots['agent']} (support) wrote:\n> Dear customer,\n> {quoted}"


def _numbers(rng: Random) -> dict[str, str]:
    pounds = f"{rng.randrange(8, 240)}.{rng.choice(['00', '50', '90', '95', '99'])}"
    return {
        "order": rng.choice(["#", "", "no. "]) + str(rng.randrange(400_000, 980_000)),
        "ticket": f"C{rng.randrange(10_000, 99_999)}",
        "amount": rng.choice(["£{}", "{} GBP", "{} pounds", "EUR {}"]).format(pounds),
        "days": str(rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 30])),
        "email": f"{rng.choice(['jo', 'mk', 'anna', 'r.s', 'pt'])}{rng.randrange(10, 99)}@example.org",
    }


def _carelessly(rng: Random, text: str) -> str:
    """Rewrite a text as if it were typed on a phone, in anger, in haste, or with care."""
    manner = rng.choices(["care", "haste", "phone", "anger"], [50, 28, 17, 5])[0]
    if manner == "care":
        return text
    if manner == "anger":
        return text.upper()
    if manner == "phone":
        text = re.sub(r"[.,;:](?= |$)", "", text.lower()).replace("please", "pls").replace(" you ", " u ")
    return _mistype(rng, text, 0.05 if manner == "haste" else 0.03)


def _mistype(rng: Random, text: str, rate: float) -> str:
    return " ".join(_slip(rng, word) if rng.random() < rate else word for word in text.split(" "))


def _slip(rng: Random, word: str) -> str:
    if len(word) < SHORTEST_MISTYPED or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return rng.choice([swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]])
