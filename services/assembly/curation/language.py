"""`language`: drops an answer in another language than its question, where that is rare for questions of this language.

Where every French question is answered in English that is what the application wants: it is rare that makes a mistake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row
from distillations.text_steps import Language


def decide(rows: Sequence[Row], settings: Language, together: Together) -> Iterator[Verdict]:
    pairs = languages_of(rows) if together.languages is None else together.languages
    asked = Counter[str]()
    for (question, _), count in pairs.items():
        asked[question] += count
    for row in rows:
        if not all(row.languages):
            continue
        question, answer = row.languages
        share = pairs[question, answer] / asked[question]
        if question != answer and share < settings.rare:
            reason = f"It answers '{question}' in '{answer}', as {share:.1%} of the answers to that language do."
            yield Verdict(row, Finding(reason, score=1 - share))


def languages_of(rows: Iterable[Row]) -> Counter[tuple[str, str]]:
    """How many rows have which languages of question and answer, where both are known."""
    return Counter((row.languages[0], row.languages[1]) for row in rows if all(row.languages))
