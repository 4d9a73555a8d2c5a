"""Where personal data stands in a text: addresses, numbers and names, by their shape and by what checks them.

In: a text. Out: the spans of it that tell who somebody is, each with its kind. Phone numbers are found by Google's
libphonenumber, the others by their shape and, where they have one, their check digit: IP addresses by the standard
library, card numbers by Luhn's (ISO/IEC 7812), accounts by ISO 7064's modulo 97. A number whose digits do not check
counts where a word beside it says what it is.

Names are found only where somebody is addressed, titled or introduced by one: a name that merely stands in a sentence
is not. A model that finds those has four times the size of everything that is deployed here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

_BESIDE = 48
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "BR")
"""Where a number without a country's prefix may be at home."""


class Span(NamedTuple):
    """A part of a text, and what it tells."""

    start: int
    end: int
    kind: str


class _Shape(NamedTuple):
    """A kind by the shape of its text: what its match must pass and, where it does not, the word beside it."""

    kind: str
    pattern: re.Pattern[str]
    checks: Callable[[str], bool] | None = None
    word: re.Pattern[str] | None = None


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


def _passes_luhn(text: str) -> bool:
    digits = [int(digit) for digit in reversed(_digits(text))]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _passes_modulo_97(text: str) -> bool:
    account = re.sub(r"[ -]", "", text).upper()
    return int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_mixed(text: str) -> bool:
    return any(letter.isdigit() for letter in text) and any(letter.isupper() for letter in text)


_SHAPES = (
    _Shape("EMAIL", re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b")),
    _Shape("MAC_ADDRESS", re.compile(r"\b[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}\b")),
    _Shape("IP_ADDRESS", re.compile(r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w:]|\.\d)"), _is_address),
    _Shape("IP_ADDRESS", re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}:[0-9A-Fa-f:]{0,4}(?![\w:])"), _is_address),
    _Shape("CRYPTO_ADDRESS", re.compile(r"\b0x[0-9A-Fa-f]{40}\b")),
    _Shape("CRYPTO_ADDRESS", re.compile(r"\b(?:bc1[a-z0-9]{25,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\b"), _is_mixed),
    _Shape(
        "BANK_ACCOUNT",
        re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){3,36}\b"),
        _passes_modulo_97,
        re.compile(r"\b(?:iban|account|konto|compte|cuenta)\b", re.IGNORECASE),
    ),
    _Shape(
        "CARD",
        re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])"),
        _passes_luhn,
        re.compile(r"\b(?:card|credit|debit|visa|mastercard|maestro|amex|karte|carte|tarjeta)", re.IGNORECASE),
    ),
    # The form that the United States write, and Switzerland's, whose numbers begin with the country's code.
    _Shape("NATIONAL_ID", re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")),
    _Shape("NATIONAL_ID", re.compile(r"\b756\.\d{4}\.\d{4}(?:\.\d{2})?\b")),
    _Shape(
        "NATIONAL_ID",
        re.compile(r"(?<![\w-])\d{3}[ .-]?\d{2,4}[ .-]?\d{4}(?![\w-])"),
        lambda _: False,
        re.compile(r"\b(?:ssn|social security|passport|tax id|national id|ahv)\b", re.IGNORECASE),
    ),
)
_PHONE_WORD = re.compile(r"\b(?:phone|call|mobile|sms|tel|telephone|telefon|fax|contact|reach)\b", re.IGNORECASE)
_PHONE_SHAPE = re.compile(r"(?<![\w.-])[+(]?\d(?:[ ().-]{0,2}\d){6,14}(?![\w-])")
# With a prefix of the country or of the trunk, or in groups as North America writes them: other numbers are orders.
_PHONE_FORM = re.compile(r"[+(]|0\d+[ ./()-]|\d{3}[ .-]\d{3}[ .-]\d{4}$")
_DATE = re.compile(r"(?:19|20)\d{2}[ .-]?\d{2}[ .-]?\d{2}|\d{1,2}[ .-]\d{1,2}[ .-](?:19|20)\d{2}")
_WORD = r"[^\W\d_a-zªº][\w'\u2019-]{1,30}"
_NAME = re.compile(_WORD)
_EDGE = re.compile(r"\b")
_CAPITAL = re.compile(r"\b[^\W\d_a-zªº]")
_CALLED = re.compile(
    rf"(?:\b(?:Dear|Hello|Hi|Hey|Attention|Welcome|Cher|Ch\u00e8re|Querid[oa]|Lieber?|Hallo)|\bTo:|\b[Mm]y name is"
    rf"|\b[Tt]his is)(?: (?:Mr|Mrs|Ms|Miss|Dr|Herr|Frau)\.?)?,? (?P<dear>{_WORD}(?:[ .]{_WORD}){{0,2}})"
    rf"|\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Monsieur|Madame|Se\u00f1ora?)\.? "
    rf"(?P<titled>{_WORD}(?:[ .]{_WORD}){{0,2}})"
)
_NO_NAMES = re.compile(
    r"(?:all|customers?|colleagues?|everyone|friends?|guest|hiring|madam|manager|members?|parents?|patients?|sir|students?"
    r"|support|team|there|user|valued|account|service|bank|personal|checking|savings|the|this|that|they|you|we|from|i'm)",
    re.IGNORECASE,
)
"""What follows a greeting and is no name."""


def spans_of(text: str) -> list[Span]:
    """The spans in their order; none lies in another."""
    found: list[Span] = []
    for span in (*_by_shape(text), *_phones(text), *_names(text)):
        # Those in `found` are in order and apart: only its two neighbours can overlap.
        at = bisect_left(found, span)
        free_before = at == 0 or found[at - 1].end <= span.start
        if free_before and (at == len(found) or span.end <= found[at].start):
            found.insert(at, span)
    return found


def _by_shape(text: str) -> Iterator[Span]:
    for kind, pattern, checks, word in _SHAPES:
        for match in pattern.finditer(text):
            if checks is None or checks(match[0]) or (word and _is_beside(word, text, match)):
                yield Span(*match.span(), kind)


def _is_beside(word: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    return bool(word.search(text, max(0, match.start() - _BESIDE), min(len(text), match.end() + _BESIDE)))


def _phones(text: str) -> Iterator[Span]:
    """Numbers that a word before them calls a phone's, and such as are written like one and exist in some region."""
    for match in _PHONE_SHAPE.finditer(text):
        if _DATE.fullmatch(match[0]):
            continue
        called = _PHONE_WORD.search(text, max(0, match.start() - _BESIDE), match.start())
        if called or (_PHONE_FORM.match(match[0]) and _exists(match[0])):
            yield Span(*match.span(), "PHONE")


@lru_cache(maxsize=1024)
def _exists(number: str) -> bool:
    # Imported here: recipes without such a step do not pay for it.
    from phonenumbers import NumberParseException, is_valid_number, parse

    # With its prefix it is at home in one country, wherever it is written.
    regions = (None,) if number.startswith("+") else _REGIONS
    try:
        return any(is_valid_number(parse(number, region)) for region in regions)
    except NumberParseException:
        return False


def _names(text: str) -> Iterator[Span]:
    """The names by which somebody is called, and each of their words wherever else it stands."""
    called: set[str] = set()
    for match in _CALLED.finditer(text):
        group = "dear" if match["dear"] else "titled"
        words = re.split(r"[ .]", match[group])
        if not _NO_NAMES.fullmatch(words[0]):
            called.update(word for word in words if not _NO_NAMES.fullmatch(word))
    if called:
        yield from _wherever(called, text)


def _wherever(called: AbstractSet[str], text: str) -> Iterator[Span]:
    """Where these words stand, those that follow each other as one. Each word of the text is looked up once."""
    start = end = -1
    for first in _CAPITAL.finditer(text):
        found = _end_of(called, text, first.start()) if first.start() >= end else None
        if found is None:
            continue
        if end < 0 or text[end : first.start()] not in {" ", "."}:
            if end >= 0:
                yield Span(start, end, "PERSON")
            start = first.start()
        end = found
    if end >= 0:
        yield Span(start, end, "PERSON")


def _end_of(called: AbstractSet[str], text: str, start: int) -> int | None:
    """Where the longest of the names ends that begins here: before an apostrophe or a hyphen, too."""
    whole = _NAME.match(text, start)
    ends = range(whole.end(), start + 1, -1) if whole else ()
    return next((end for end in ends if text[start:end] in called and _EDGE.match(text, end)), None)
