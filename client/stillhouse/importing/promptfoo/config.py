"""Read promptfooconfig.yaml: its prompts, its providers, and its tests with the defaults put into each.

In: the path of a config. Out: a Config. `left` lists what cannot be read or has no counterpart, `changed` what is
imported differently from how it was written. Raises Stopped if the file is no config or holds no tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stillhouse.importing.promptfoo.cases import Case, cases_of, listed
from stillhouse.importing.promptfoo.files import Beside, loaded
from stillhouse.importing.promptfoo.prompts import Prompt, prompts_of
from stillhouse.importing.promptfoo.providers import Provider, provider_of
from stillhouse.importing.source import Left
from stillhouse.importing.stopped import Stopped

_READ = frozenset({"description", "tags", "prompts", "providers", "targets", "tests", "defaultTest", "evaluateOptions"})
_OF_THE_TOOL = frozenset(
    {"$schema", "commandLineOptions", "env", "metadata", "outputPath", "sharing", "writeLatestResults"}
)
_WRONG = (Left, AttributeError, KeyError, OSError, TypeError, ValueError)


@dataclass
class Config:
    """The content of a config, and what was left out or changed while it was read."""

    name: str
    beside: Beside
    tags: dict[str, str]
    prompts: list[Prompt] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)

    def leave(self, name: str, error: Exception) -> None:
        """Record that the part of the config with this name is not imported, and why."""
        why = error.reason if isinstance(error, Left) else f"it is not of the documented shape ({type(error).__name__})"
        self.left.append((name, why))


def read(path: Path) -> Config:
    try:
        document = loaded(path)
    except Left as left:
        raise Stopped(f"{path}: {left.reason}; wanted is a config in YAML or JSON") from None
    except ValueError as error:
        raise Stopped(f"{path} cannot be read ({type(error).__name__})") from None
    if not isinstance(document, dict) or not document.keys() & _READ:
        raise Stopped(f"{path} is no config of Promptfoo")
    folder = path.resolve().parent
    tags = {str(key): str(value) for key, value in (document.get("tags") or {}).items()}
    config = Config(str(document.get("description") or folder.name), Beside(folder), tags)
    _others(config, document)
    _providers(config, document)
    _prompts(config, document)
    _filters(config)
    _cases(config, document)
    if not config.cases:
        why = "; ".join(f"{name}: {why}" for name, why in config.left)
        raise Stopped(f"{path} has no tests that can be read{f': {why}' if why else ''}")
    return config


def _others(config: Config, document: dict[str, Any]) -> None:
    """Report the keys that are not imported. Keys ending in "templates" are kept: `$ref` may point into them."""
    kept = {name for name in document if name.lower().endswith("templates")}
    for name in sorted(document.keys() - _READ - _OF_THE_TOOL - kept):
        config.left.append((name, "Stillhouse has no such thing"))
    if (document.get("evaluateOptions") or {}).get("repeat", 1) != 1:
        config.left.append(("evaluateOptions.repeat", "a run samples each row once"))


def _providers(config: Config, document: dict[str, Any]) -> None:
    for provider in _list(document.get("providers", document.get("targets"))):
        try:
            every = [provider_of(each) for each in _list(config.beside.of(provider))]
        except _WRONG as error:
            config.leave("provider", error)
            continue
        config.providers += every
    _without(config, "provider", config.providers)


def _prompts(config: Config, document: dict[str, Any]) -> None:
    given = document.get("prompts") or ["{{prompt}}"]
    if isinstance(given, dict):
        given = [{"raw": raw, "label": label} for raw, label in given.items()]
    for number, prompt in enumerate(_list(given), 1):
        try:
            config.prompts += prompts_of(prompt, f"prompt {number}", config.beside)
        except _WRONG as error:
            config.leave(f"prompt {number}", error)
    _without(config, "prompt", config.prompts)


def _without(config: Config, kind: str, came: Sequence[Provider] | Sequence[Prompt]) -> None:
    config.changed += [
        (f"{kind} {entry.label}", f"without its {', '.join(entry.left)}") for entry in came if entry.left
    ]


def _filters(config: Config) -> None:
    """Report providers that name a prompt which was not imported.

    A file of several prompts gives numbered labels, so its own label names none of them.
    """
    labels = [prompt.label for prompt in config.prompts]
    for provider in config.providers:
        for name in provider.prompts or ():
            if name not in labels:
                why = f"no prompt is called {name}; there are {', '.join(labels)}"
                config.left.append((f"provider {provider.label}", why))


def _cases(config: Config, document: dict[str, Any]) -> None:
    default = config.beside.of(document.get("defaultTest")) or {}
    for number, entry in enumerate(_list(document.get("tests")), 1):
        where = f"test {number}"
        try:
            for place, test in enumerate(listed(entry, config.beside), 1):
                where = f"test {number}" if isinstance(entry, dict) else f"test {place} of {entry}"
                config.cases += cases_of(test, default, where, document, config.beside)
        except _WRONG as error:
            config.leave(where, error)
    ignored = sorted({name for case in config.cases for name in case.ignored})
    config.changed += [
        ("tests", f"without their {name}: a run takes all rows of its eval, and all alike") for name in ignored
    ]


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]
