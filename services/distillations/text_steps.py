"""The steps of a recipe that look into texts: what language they are in, and what they tell of people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from distillations.step import BaseStep

type PersonalDataKind = Literal[
    "BANK_ACCOUNT",
    "CARD",
    "CRYPTO_ADDRESS",
    "EMAIL",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "NATIONAL_ID",
    "PERSON",
    "PHONE",
]


class PersonalData(BaseStep):
    """Masks personal data in all texts of an example, for good: `<EMAIL_1>` stands in its place."""

    rule: Literal["personal_data"] = "personal_data"
    kinds: list[PersonalDataKind] | None = Field(default=None, min_length=1)
    """What is masked; null for all kinds. Names (`PERSON`) are found only where somebody is addressed or titled."""


class Language(BaseStep):
    """Drops an answer in another language than its question, where that is rare for questions of this language."""

    rule: Literal["language"] = "language"
    rare: float = Field(default=0.1, gt=0, le=0.5)
    """The share of the questions of one language below which answers in one other language count as mistakes."""


class Doubtful(BaseStep):
    """Drops an answer of a closed set where the words of its question clearly speak for another answer of the set."""

    rule: Literal["doubtful"] = "doubtful"
    least_margin: float = Field(default=4.5, ge=1, le=1000)
    """How clearly: the difference of the logarithms of both likelihoods, over the square root of the number of words.
    Where a fifth of all answers was wrong, nineteen of twenty that it dropped were at 4.5, and nine of ten at 2.5."""
