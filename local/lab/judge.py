"""`lab-judge`: a real judge, and a weak one.

In: a conversation that shows a reference (or criteria) and a candidate answer under headings or tags such as
`Reference:`, `<answer>`. Out: a label of the schema's enum, or a score, or without a schema a label that the prompt
names. Fails: a prompt that shows no reference or no answer is a 400 `unknown_prompt` that says how to ask; a judge that
compares cannot judge it, and a label would look like a finding.

What stands between the tags `<data-…>` that fence the content of a row is never taken for a heading.

It counts the words that both texts share (F1), and calls 0.6 and more a match. So it passes an answer that
says the opposite in the reference's words, fails a right one in other words, reads no instruction beyond the
names of the labels, and knows no facts. It cannot be talked into a label either. Where labels do not say good
or bad (or a number), it takes the one whose name is closest to the candidate, as `lab-small` does.
"""

import re
from collections import Counter
from itertools import zip_longest
from typing import Any

from local.lab.guesser import closest, in_words
from local.lab.labels import read_task
from local.lab.messages import content_text
from local.lab.shapes import Finding, fill, schema_of
from local.lab.wire import ApiError

_KINDS = {
    "reference": r"reference|expected|ideal|gold|correct|truth|criteri\w+|rubric|target",
    "candidate": r"answer|response|candidate|output|completion|submission|reply|prediction",
    "question": r"question|input|prompt|context|conversation|message|request|task|labels?",
}
_ANY = "|".join(_KINDS.values())
_HEADING = re.compile(
    rf"^[ \t#*]*(?P<line>(?:\w+[ \t]+){{0,3}}?(?:{_ANY})\b[^:\n]{{0,30}}?)\**:\**"
    rf"|</?(?P<tag>\w*(?:{_ANY})\w*)>",
    re.IGNORECASE | re.MULTILINE,
)
_FENCED = re.compile(r"<(data-[0-9a-f]{16})>(.*?)</\1>", re.DOTALL)
_SENSES = {
    "middle": r"\b(partial(ly)?|partly|somewhat|fair|mixed|unsure|unclear)\b",
    "bad": r"\b(incorrect|bad|fail(ed)?|no|not|false|wrong|mismatch|different|unacceptable|poor)\b",
    "good": r"\b(correct|good|pass(ed)?|yes|true|match(es)?|equivalent|acceptable|right|accurate|same)\b",
}
_MATCH, _PARTLY = 0.6, 0.3


def judge(messages: list[dict[str, Any]], response_format: dict[str, Any] | None) -> str:
    reference, candidate = _texts(messages)
    score = overlap(reference, candidate)
    finding = Finding(
        lambda labels: _choose(labels, score, candidate),
        f"The answer shares {score:.0%} of its words with the reference.",
        score,
    )
    schema = schema_of(response_format)
    if schema is not None:
        return fill(schema, finding)
    labels = read_task(messages).labels or ("correct", "incorrect")
    return finding.choose(list(labels))


def overlap(reference: str, candidate: str) -> float:
    """F1 of the words of two texts, each word as often as it stands in both."""
    ours, theirs = (Counter(in_words(text).lower().split()) for text in (reference, candidate))
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def _texts(messages: list[dict[str, Any]]) -> tuple[str, str]:
    texts: dict[str, list[str]] = {}
    for message in messages:
        for kind, text in _sections(content_text(message.get("content"))):
            texts.setdefault(kind, []).append(text)
    if "reference" in texts and "candidate" in texts:
        # A prompt may end with a heading of its own, where the judge is to write.
        return " ".join(texts["reference"]), next(filter(None, reversed(texts["candidate"])), "")
    missing = "answer" if "reference" in texts else "reference"
    raise ApiError(
        400,
        f"lab-judge compares an answer with a reference, and this prompt shows no {missing}. Put both under "
        "headings with a line each, such as 'Reference: {{ item.reference }}' and 'Answer: {{ sample.output_text }}'.",
        code="unknown_prompt",
        param="messages",
    )


def _sections(text: str) -> list[tuple[str, str]]:
    """Split a text at its headings; a section is what stands between one and the next."""
    headings = list(_HEADING.finditer(_FENCED.sub(lambda fenced: "." * len(fenced.group()), text)))
    sections = []
    for heading, following in zip_longest(headings, headings[1:]):
        end = following.start() if following else len(text)
        name = heading.group("line") or heading.group("tag")
        body = _FENCED.sub(r"\2", text[heading.end() : end]).strip()
        if not heading.group().startswith("</"):
            sections.append((_kind(name), body))
    return sections


def _kind(name: str) -> str:
    return next(kind for kind, words in _KINDS.items() if re.search(words, name, re.IGNORECASE))


def _choose(labels: list[str], score: float, candidate: str) -> str:
    if all(re.fullmatch(r"-?\d+(\.\d+)?", label) for label in labels):
        return sorted(labels, key=float)[round(score * (len(labels) - 1))]
    by_sense: dict[str, str] = {}
    for label in labels:
        by_sense.setdefault(_sense(label), label)
    if "good" not in by_sense or "bad" not in by_sense:
        return closest(labels, candidate)
    if score >= _MATCH:
        return by_sense["good"]
    return by_sense.get("middle", by_sense["bad"]) if score >= _PARTLY else by_sense["bad"]


def _sense(label: str) -> str:
    words = in_words(label).lower()
    return next((sense for sense, known in _SENSES.items() if re.search(known, words)), "other")
