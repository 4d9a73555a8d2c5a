"""A page as one file: it has its style and its pictures in itself, runs nothing, and asks no server for anything.

In: a page as HTML of the templates, in which forms and scripts are the templates' own, since whatever was captured is
escaped. Out: the same page without what works on the server alone, its links whole addresses.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from foundation.settings import settings

_STYLE = Path(__file__).parent / "static" / "stillhouse.css"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser lets the file do, wherever it is opened."""
_LEFT_OUT = (
    re.compile(r"<header>.*?</header>", re.DOTALL),
    re.compile(r"<script\b.*?</script>", re.DOTALL),
    re.compile(r'<meta http-equiv="refresh"[^>]*>'),
    re.compile(r'<a class="skip".*?</a>'),
    re.compile(r'<a [^>]*\bdownload="[^>]*>.*?</a>', re.DOTALL),
    re.compile(r"<details><summary>[^<]*</summary>\s*</details>"),
)
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_CONTROL = re.compile(r"<input\b[^>]*>|<button\b.*?</button>", re.DOTALL)
_SHEET = re.compile(r'<link rel="stylesheet"[^>]*>')
_LINK = re.compile(r'(<a\b[^>]*\bhref=")/')


def standalone(html: str) -> str:
    """The page as one file."""
    html = _FORM.sub(_without_form, html)
    for part in _LEFT_OUT:
        html = part.sub("", html)
    policy = f'<meta http-equiv="content-security-policy" content="{escape(_POLICY)}">'
    html = _SHEET.sub(lambda _: f"{policy}\n<style>{_style()}</style>", html)
    address = urlsplit(settings().API_URL)
    return _LINK.sub(rf"\g<1>{address.scheme}://{address.netloc}/", html)


def _without_form(form: re.Match[str]) -> str:
    """What a form shows: one without a class is around a table of the page, which stays; any other one only asks."""
    stays = "<table" in form[2] and " class=" not in form[1]
    return _CONTROL.sub("", form[2]) if stays else ""


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")
