"""`refused`: drops an answer by which the teacher refused, in the field for it or in its first words.

The words are those by which a model says that it will not do what it was asked. "I can't find your order" is none.
"""

from __future__ import annotations

import re

from assembly.curation.rule import Candidate, Finding, Known
from completions.messages import refusal_of, text_of
from distillations.answer_steps import Refused

_BEGINNING = 200
_CANNOT = r"(?:can(?:no|')t|can not|won't|will not|am unable to|'m unable to|am not able to|'m not able to)"
_DO = r"(?:help|assist|comply|continue|engage|fulfil?l?|provide|create|write|generate|discuss|answer|do|process)"
_WHAT = r"(?:with )?(?:you with )?(?:that|this|your request|such|these requests|those requests)\b"
_SORRY = r"(?:(?:i'm |i am )?(?:very |so )?sorry|unfortunately|i apologi[sz]e)[,.;:]? (?:but )?"
_REFUSALS = re.compile(rf"(?:{_SORRY})?(?:as an ai(?: language)?(?: model| assistant)?,? )?i {_CANNOT} {_DO} {_WHAT}")


def judge(candidate: Candidate, settings: Refused, known: Known) -> Finding | None:  # noqa: ARG001
    if refusal_of(candidate.message):
        return Finding("The teacher refused.")
    if not settings.wording:
        return None
    beginning = text_of(candidate.message.get("content"))[:_BEGINNING]
    words = " ".join(beginning.replace("\u2019", "'").split()).casefold().replace("i'm unable", "i am unable")
    words = words.replace("i'm not able", "i am not able")
    return Finding("The answer begins with the words of a refusal.") if _REFUSALS.match(words) else None
