"""How values are shown: texts, times, shares, money, JSON. Every function is a filter of the templates.

Captured text is hostile: it may hold marks that turn or hide what follows, or be megabytes long. `text` shows such
marks by their names; `beginning` cuts. Escaping is the templates' own doing.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from stats import Interval

_LONG = 4_000
"""The most bytes that a text has in a page, as it is escaped."""
_UNKNOWN = "-"
_DIGITS_THAT_TELL = 3
_MOST_DIGITS = 12
_ESCAPED = dict.fromkeys("&<>\"'", 5)
"""The bytes of the letters that HTML writes in another way, rounded up."""
_LATEST = 253_402_300_799
"""The last second of the year 9999, in seconds since the epoch."""
_A_MINUTE, _LONG_IN_MINUTES = 1.5, 120
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_KEPT = frozenset("\n\t\u200d")


def text(value: Any) -> str:
    """A value as text. A mark without a look of its own, such as one that turns the direction, shows as `<U+202E>`."""
    plain = value if isinstance(value, str) else "" if value is None else as_json(value)
    return "".join(map(_visible, plain)) if not plain.isascii() or not plain.isprintable() else plain


def beginning(value: Any, most: int = _LONG) -> str:
    """As much of a text as has at most so many bytes in a page, and how much is left out.

    By bytes, since a page has a limit of them: a quotation mark is written as five, a hidden mark as fourteen.
    """
    plain = value if isinstance(value, str) else "" if value is None else as_json(value)
    shown: list[str] = []
    for letter in plain:
        visible = _visible(letter)
        most -= sum(_ESCAPED.get(part, len(part.encode())) for part in visible)
        if most < 0:
            return f"{''.join(shown)} … {len(plain) - len(shown):,} more letters"
        shown.append(visible)
    return "".join(shown)


def as_json(value: Any) -> str:
    """A value as indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def when(seconds: int | None) -> str:
    """A time in seconds since the epoch, in UTC."""
    if seconds is None or not 0 <= seconds <= _LATEST:
        return "" if seconds is None else str(seconds)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{100 * share:.1f}%"


def points(difference: float | None) -> str:
    """A difference of two shares, in points."""
    return _UNKNOWN if difference is None else f"{100 * difference:+.1f}"


def between(interval: Interval | list[float] | None, *, signed: bool = False) -> str:
    """An interval of shares, in per cent, or of differences, in points."""
    if interval is None:
        return "no interval"
    low, high = interval
    return f"{100 * low:+.1f} to {100 * high:+.1f}" if signed else f"{100 * low:.1f}% to {100 * high:.1f}%"


def chance(p: float | None) -> str:
    """A p-value with two digits that say something."""
    return _UNKNOWN if p is None else f"{p:.2g}"


def dollars(amount: float | None) -> str:
    """An amount in US dollars; small ones with the digits that tell them apart."""
    if amount is None:
        return "no price"
    if amount >= 1 or amount <= 0:
        return f"${amount:,.2f}"
    # Never as 2.9e-05.
    digits = max(2, _DIGITS_THAT_TELL - math.floor(math.log10(amount)) - 1)
    whole, _, cents = f"{amount:.{min(digits, _MOST_DIGITS)}f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"


def milliseconds(amount: float | None) -> str:
    return _UNKNOWN if amount is None else f"{amount:,.0f} ms"


def minutes(amount: float | None) -> str:
    """A time in minutes, as people say it."""
    if amount is None:
        return _UNKNOWN
    if amount < _A_MINUTE:
        return "a minute" if amount >= 1 else "less than a minute"
    if amount < _LONG_IN_MINUTES:
        return f"about {amount:.0f} minutes"
    return f"about {amount / 60:.1f} hours"


def duration(seconds: float | None) -> str:
    """A span of time in its two largest units."""
    if seconds is None:
        return _UNKNOWN
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def count(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"


def counted(number: int | None, noun: str) -> str:
    """So many things of a kind, such as `1 row` and `2 rows`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def step(value: str) -> str:
    """An id as a step of a path."""
    return quote(value, safe="")


def web_address(value: Any) -> str | None:
    """The value, if a browser may follow it as a link: an address of http or https, and nothing else."""
    if not isinstance(value, str) or not value.isprintable() or any(map(str.isspace, value)):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in {"http", "https"} and parts.netloc else None


def _visible(letter: str) -> str:
    hidden = letter not in _KEPT and unicodedata.category(letter) in _HIDDEN
    return f"<U+{ord(letter):04X}>" if hidden else letter


FILTERS: Mapping[str, Callable[..., Any]] = {
    "text": text,
    "beginning": beginning,
    "as_json": as_json,
    "when": when,
    "percent": percent,
    "points": points,
    "between": between,
    "chance": chance,
    "dollars": dollars,
    "milliseconds": milliseconds,
    "minutes": minutes,
    "count": count,
    "counted": counted,
    "duration": duration,
    "step": step,
    "web_address": web_address,
}
