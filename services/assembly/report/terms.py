"""What tells what a text is about: its words, as far as they can be told apart.

In: a text. Out: words of three to 24 letters, and of scripts without spaces between words what is likely one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from foundation.words import MARKS, UNSPACED

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_HIRAGANA = "\u3041-\u309f"
_OF_OTHERS = rf"(?=\w)(?![{_HAN}\u3040-\u30ff])[{UNSPACED}][{MARKS}]*"
_TERM = re.compile(
    rf"[^\W\d_{UNSPACED}]{{3,24}}"
    # What Japanese writes in Katakana is a word. A pair of Chinese characters mostly is one, and so is in Japanese one
    # with the sign behind it, where no other stands before it: signs alone are grammar. Of other scripts no shorter
    # piece tells anything.
    rf"|[\u30a1-\u30fa\u30fc]{{2,24}}"
    rf"|(?=(?P<pair>[{_HAN}]{{2}}|(?<![{_HAN}])[{_HAN}][{_HIRAGANA}]))[{_HAN}]"
    rf"|(?=(?P<piece>(?:{_OF_OTHERS}){{4}})){_OF_OTHERS}"
)


def terms_in(text: str) -> Iterator[str]:
    """The words, in their order."""
    for match in _TERM.finditer(text if text.isascii() else unicodedata.normalize("NFKC", text)):
        yield match["pair"] or match["piece"] or match[0]
