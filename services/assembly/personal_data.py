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

from foundation.words import SPACED, UNSPACED

_BESIDE = 48
_LATIN = r"0-9A-Z_a-z\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\xff"
# What is of people in numbers and Latin letters may stand within the words of another script, or before its endings.
_BEGINS, _ENDS = rf"(?<![{_LATIN}])", rf"(?![{_LATIN}])"
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


def _named(words: str, characters: str) -> re.Pattern[str]:
    """Any of these words, or of these in scripts without spaces, wherever they stand."""
    return re.compile(rf"{_BEGINS}(?:{words}){_ENDS}|{characters}", re.IGNORECASE)


_SHAPES = (
    _Shape(
        "EMAIL",
        re.compile(
            rf"(?:[{_LATIN}.+%-]{{1,64}}+|[^\W{_LATIN}]{{1,64}}+)@(?:[\w-]{{1,63}}\.){{1,8}}"
            rf"(?:[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]{{2,24}}{_ENDS}|[^\W\d{_LATIN}]{{2,24}})"
        ),
    ),
    _Shape(
        "MAC_ADDRESS",
        re.compile(rf"{_BEGINS}[0-9A-Fa-f]{{2}}(?:([:-])[0-9A-Fa-f]{{2}})(?:\1[0-9A-Fa-f]{{2}}){{4}}{_ENDS}"),
    ),
    _Shape("IP_ADDRESS", re.compile(rf"{_BEGINS}(?<![.:])(?:\d{{1,3}}\.){{3}}\d{{1,3}}{_ENDS}(?!:|\.\d)"), _is_address),
    _Shape(
        "IP_ADDRESS",
        re.compile(rf"{_BEGINS}(?<![:.])[0-9A-Fa-f:]{{2,39}}:[0-9A-Fa-f:]{{0,4}}{_ENDS}(?!:)"),
        _is_address,
    ),
    _Shape("CRYPTO_ADDRESS", re.compile(rf"{_BEGINS}0x[0-9A-Fa-f]{{40}}{_ENDS}")),
    _Shape(
        "CRYPTO_ADDRESS",
        re.compile(rf"{_BEGINS}(?:bc1[a-z0-9]{{25,59}}|[13][1-9A-HJ-NP-Za-km-z]{{25,34}}){_ENDS}"),
        _is_mixed,
    ),
    _Shape(
        "BANK_ACCOUNT",
        re.compile(rf"{_BEGINS}[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]){{3,36}}{_ENDS}"),
        _passes_modulo_97,
        _named("iban|account|konto|compte|cuenta", "账号|账户|帳號|口座|บัญชี"),
    ),
    _Shape(
        "CARD",
        re.compile(rf"{_BEGINS}(?<!\.)\d(?:[ -]?\d){{12,18}}{_ENDS}"),
        _passes_luhn,
        re.compile(
            rf"{_BEGINS}(?:card|credit|debit|visa|mastercard|maestro|amex|karte|carte|tarjeta)"
            r"|信用卡|银行卡|銀行卡|卡号|卡號|カード|บัตร",
            re.IGNORECASE,
        ),
    ),
    # The form that the United States write, and Switzerland's, whose numbers begin with the country's code.
    _Shape(
        "NATIONAL_ID", re.compile(rf"{_BEGINS}(?<!-)(?!000|666|9\d\d)\d{{3}}-(?!00)\d{{2}}-(?!0000)\d{{4}}{_ENDS}(?!-)")
    ),
    _Shape("NATIONAL_ID", re.compile(rf"{_BEGINS}756\.\d{{4}}\.\d{{4}}(?:\.\d{{2}})?{_ENDS}")),
    _Shape(
        "NATIONAL_ID",
        re.compile(rf"{_BEGINS}(?<!-)\d{{3}}[ .-]?\d{{2,4}}[ .-]?\d{{4}}{_ENDS}(?!-)"),
        lambda _: False,
        _named(
            "ssn|social security|passport|tax id|national id|ahv",
            "护照|護照|身份证|身分證|パスポート|マイナンバー|หนังสือเดินทาง",
        ),
    ),
)
_PHONE_WORD = _named(
    "phone|call|mobile|sms|tel|telephone|telefon|fax|contact|reach",
    # 48 characters of such a script are some sentences.
    r"(?:电话|電話|手机|手機|携帯|致电|拨打|短信|โทร|เบอร์|มือถือ)\D{0,12}\Z",
)
_PHONE_SHAPE = re.compile(rf"{_BEGINS}(?<![.-])[+(]?\d(?:[ ().-]{{0,2}}\d){{6,14}}{_ENDS}(?!-)")
# With a prefix of the country or of the trunk, or in groups as North America writes them: other numbers are orders.
_PHONE_FORM = re.compile(r"[+(]|0\d+[ ./()-]|\d{3}[ .-]\d{3}[ .-]\d{4}$")
_DATE = re.compile(r"(?:19|20)\d{2}[ .-]?\d{2}[ .-]?\d{2}|\d{1,2}[ .-]\d{1,2}[ .-](?:19|20)\d{2}")
# In a script without spaces a name is all that stands there: a longer text is a sentence.
_SPACED_NAME = rf"[^\W\d_a-zªº{UNSPACED}](?:{SPACED}|['\u2019-]){{1,30}}"
_WORD = rf"(?:{_SPACED_NAME}|[{UNSPACED}]{{2,4}}(?![{UNSPACED}]))"
_NAME = re.compile(rf"{_SPACED_NAME}|[{UNSPACED}]{{2,4}}")
_EDGE = re.compile(rf"(?<!{SPACED})|(?!{SPACED})")
_CAPITAL = re.compile(rf"(?<!{SPACED})[^\W\d_a-zªº]|[{UNSPACED}]")
_CALLED = re.compile(
    rf"(?:{_BEGINS}(?:Dear|Hello|Hi|Hey|Attention|Welcome|Cher|Ch\u00e8re|Querid[oa]|Lieber?|Hallo|To:|[Mm]y name is"
    rf"|[Tt]his is))(?: (?:Mr|Mrs|Ms|Miss|Dr|Herr|Frau)\.?)?,? (?P<dear>{_WORD}(?:[ .]{_WORD}){{0,2}})"
    rf"|{_BEGINS}(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Monsieur|Madame|Se\u00f1ora?)\.? "
    rf"(?P<titled>{_WORD}(?:[ .]{_WORD}){{0,2}})"
)
_NO_NAMES = re.compile(
    r"(?:all|customers?|colleagues?|everyone|friends?|guest|hiring|madam|manager|members?|parents?|patients?|sir|students?"
    r"|support|team|there|user|valued|account|service|bank|personal|checking|savings|the|this|that|they|you|we|from|i'm"
    r"|你好|您好|大家|各位|客服|请问|請問|谢谢|謝謝|团队|先生|女士|小姐)",
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
