"""Carry evals over from OpenAI or Promptfoo, as the commands of `evals.command` ask for it.

`command` imports this module when an import starts, and not for its help text: the openai SDK takes most of a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from openai import OpenAI, OpenAIError

from stillhouse.importing.evals import openai_evals
from stillhouse.importing.evals.exported import ExportedOrigin
from stillhouse.importing.evals.openai_api import ApiOrigin
from stillhouse.importing.evals.origin import Origin
from stillhouse.importing.evals.receiver import Receiver
from stillhouse.importing.evals.report import Report
from stillhouse.importing.promptfoo import carry as promptfoo
from stillhouse.importing.report import bar
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import RETRIES
from stillhouse.login import key_for


def from_openai(
    to: str,
    files: Path | None,
    base_url: str | None,
    only: list[str] | None,
    *,
    grades: Literal["judged", "all", "none"],
    judge: str | None,
    wait: float,
) -> Report:
    """Carry evals with their runs and grades over: from `files` if they are given, else from the API at `base_url`."""
    receiver = _receiver(to)
    origin = ExportedOrigin(files, frozenset(only or ())) if files else _api(base_url, only)
    with bar() as show:
        return openai_evals.carry(
            origin,
            receiver,
            openai_evals.Options(grades, judge, wait),
            show=lambda report: show(report.so_far, None),
        )


def from_promptfoo(to: str, config: Path, *, judge: str | None, run: bool) -> Report:
    """Carry a Promptfoo config over as an eval, and start its runs if `run`."""
    return promptfoo.carry(config, _receiver(to), judge=judge, run=run)


def _receiver(to: str) -> Receiver:
    return Receiver(OpenAI(base_url=to.rstrip("/"), api_key=key_for(to), max_retries=RETRIES))


def _api(base_url: str | None, only: list[str] | None) -> Origin:
    try:
        return ApiOrigin(OpenAI(base_url=base_url, max_retries=RETRIES), frozenset(only or ()))
    except OpenAIError as error:
        raise Stopped(str(error)) from None
