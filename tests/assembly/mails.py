"""Mails in scripts without spaces, as some tests need them: sentences of `unspaced.json` with the facts of one case."""

from __future__ import annotations

import json
import random
from pathlib import Path

MAILS = json.loads((Path(__file__).parent / "unspaced.json").read_text(encoding="utf-8"))
LANGUAGES = sorted(MAILS)


def mail(dice: random.Random, language: str, sentences: int = 3) -> str:
    said = MAILS[language]
    facts = {name: dice.choice(values) for name, values in said["facts"].items()}
    some = dice.sample(said["sentences"], sentences)
    return "。".join(one.format(**facts, n=dice.randrange(20, 900)) for one in some)
