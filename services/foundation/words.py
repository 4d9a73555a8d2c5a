"""The words of a text, in scripts that leave spaces between words and in those that leave none.

In: a text. Out: its words. Of Chinese, Japanese, Thai, Lao, Burmese, Khmer and other scripts without spaces each
character is one, with the marks that stand on it: where a word ends only a dictionary knows. Letters that are the same
in Unicode's NFKC make the same words, as they make the same input.
"""

from __future__ import annotations

import re
import unicodedata

_WITH_MARKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0xA980, 0xA9FF),  # Javanese, Burmese
    (0xAA60, 0xAA7F),  # Burmese
)
_WITHOUT_MARKS = (
    (0x2E80, 0x2FDF),  # radicals of Chinese characters
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x303C),
    (0x3100, 0x312F),  # Bopomofo
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),  # Katakana
    (0x3400, 0x4DBF),  # Chinese characters
    (0x4E00, 0x9FFF),
    (0xA000, 0xA48F),  # Yi
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # Katakana of half the width
    (0x16FE0, 0x18DFF),  # Tangut, Khitan, Nushu
    (0x1AFF0, 0x1B2FF),
    (0x20000, 0x3FFFD),
)
UNSPACED = "".join(f"{chr(first)}-{chr(last)}" for first, last in (*_WITH_MARKS, *_WITHOUT_MARKS))
"""The characters of scripts without spaces, as a part of a set in a regular expression."""
MARKS = "".join(
    letter
    for first, last in _WITH_MARKS
    for letter in map(chr, range(first, last + 1))
    if unicodedata.category(letter).startswith("M")
)
"""Those of them that stand on others."""
CHARACTER = rf"(?=\w)[{UNSPACED}][{MARKS}]*"
"""One character of a script without spaces."""
SPACED = rf"[^\W{UNSPACED}]"
"""One letter or digit of any other script."""
# Sets as large as these take a tenth of a second to compile where upper and lower case are the same.
BEGINS, ENDS = rf"(?-i:(?<!{SPACED}))", rf"(?-i:(?!{SPACED}))"
"""Where a word of a script with spaces begins and ends: also where one without spaces goes on."""
_WORD = re.compile(r"\w+")
_ANY_WORD = re.compile(rf"{SPACED}+|{CHARACTER}")
_MAY_BE_UNSPACED = re.compile("[\u0e00-\U0010ffff]")
_CHARACTER = re.compile(CHARACTER)


def words_in(text: str) -> list[str]:
    """The words, in their order."""
    if text.isascii():
        return _WORD.findall(text)
    normal = unicodedata.normalize("NFKC", text)
    return (_ANY_WORD if _MAY_BE_UNSPACED.search(normal) else _WORD).findall(normal)


def unspaced(text: str) -> int:
    """How many characters of scripts without spaces a text has."""
    return 0 if text.isascii() else sum(1 for _ in _CHARACTER.finditer(text))
