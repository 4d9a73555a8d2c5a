"""Convert a config to evals: tests with the same kinds of asserts share an eval.

In: a Config. Out: evals with their criteria and rows. A value that all tests of an eval share stays a template in the
criterion; a value that differs is rendered into each row. A variable that a template uses and a test lacks is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stillhouse.importing.evals.report import Report
from stillhouse.importing.promptfoo import templates
from stillhouse.importing.promptfoo.asserts import Context, checks_of
from stillhouse.importing.promptfoo.cases import Case
from stillhouse.importing.promptfoo.config import Config
from stillhouse.importing.promptfoo.parts import VALUES, Check, together
from stillhouse.importing.source import Left


@dataclass
class Suite:
    """One eval: its criteria, and the items of its rows."""

    criteria: list[dict[str, Any]]
    items: list[dict[str, Any]]

    @property
    def schema(self) -> dict[str, Any]:
        names = sorted(set().union(*self.items))
        everywhere = [name for name in names if all(name in item for item in self.items)]
        return {"type": "object", "properties": {name: {} for name in names}, "required": everywhere}


def suites_of(config: Config, report: Report, *, judge: str | None) -> list[Suite]:
    """Group the config's tests into suites, in the order of each suite's first test."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[Case, list[Check]]]] = {}
    for case in config.cases:
        checks = _checks(case, config, report, judge)
        if checks:
            groups.setdefault(tuple((check.name, check.signature) for check in checks), []).append((case, checks))
    used = set().union(*(prompt.variables for prompt in config.prompts))
    return [_suite(group, used) for group in groups.values()]


def _checks(test: Case, config: Config, report: Report, judge: str | None) -> list[Check]:
    left: list[str] = []

    def leave(kind: str, why: str) -> None:
        left.append(kind)
        report.leave(f"{test.where}, {kind}", why)

    context = Context(config.beside, test.options, judge, _task(config), scored=test.threshold is not None)
    try:
        for value in test.variables.values():
            if isinstance(value, str):
                templates.rendered(value, test.variables)
    except Left as lost:
        report.leave(test.where, f"a variable of it holds {lost.reason}")
        return []
    if VALUES in test.variables:
        report.leave(test.where, f"its variable {VALUES} has the name of Stillhouse's own")
        return []
    checks = checks_of(test.asserts, context, leave)
    for note in context.notes:
        report.notes[note] += 1
    if not checks and not left:
        report.leave(test.where, "it has no asserts")
    if test.threshold is None or not checks:
        return checks
    if left:
        report.leave(test.where, "its threshold is over asserts of which some were left out")
        return []
    return [together(checks, "threshold", test.threshold)]


def _task(config: Config) -> str | None:
    """Return the prompt's text, which some judges are shown. None if there are several prompts, or one has no text."""
    if len(config.prompts) != 1:
        return None
    contents = [message["content"] for message in config.prompts[0].messages]
    return "\n".join(contents) if all(isinstance(content, str) for content in contents) else None


def _suite(group: list[tuple[Case, list[Check]]], used: set[str]) -> Suite:
    tests, checks = [test for test, _ in group], [checks for _, checks in group]
    in_rows: list[list[str]] = [[] for _ in tests]
    variables = [_filled(test.variables) for test in tests]
    criteria: list[dict[str, Any]] = []
    for check, name in zip(checks[0], _names(checks[0]), strict=True):
        place = len(criteria)
        stands: list[str] = []
        for number, value in enumerate(check.values):
            texts = [of_test[place].values[number].text for of_test in checks]
            if len(set(texts)) == 1 and not value.in_row:
                stands.append(templates.converted(texts[0]))
                used = used | templates.names(texts[0])
                continue
            at = len(in_rows[0])
            for row, text, known in zip(in_rows, texts, variables, strict=True):
                row.append(templates.rendered(text, known))
            stands.append(str(at) if value.in_row else f"{{{{ item.{VALUES}[{at}] }}}}")
        criteria.append(check.build(stands).criterion(name))
    items = [_item(test, known, row, used) for test, known, row in zip(tests, variables, in_rows, strict=True)]
    return Suite(criteria, items)


def _item(test: Case, variables: dict[str, Any], values: list[str], used: set[str]) -> dict[str, Any]:
    item = {**dict.fromkeys(used, ""), **variables}
    if test.metadata and "metadata" not in item:
        item["metadata"] = test.metadata
    return item | ({VALUES: values} if values else {})


def _filled(variables: dict[str, Any]) -> dict[str, Any]:
    """Render the variables, which may refer to each other. A null variable is empty, as in Nunjucks."""
    return {
        name: templates.rendered(value, variables) if isinstance(value, str) else "" if value is None else value
        for name, value in variables.items()
    }


def _names(checks: list[Check]) -> Iterator[str]:
    """Yield the names of the checks; equal names are numbered."""
    seen: dict[str, int] = {}
    for check in checks:
        seen[check.name] = seen.get(check.name, 0) + 1
        yield check.name if seen[check.name] == 1 else f"{check.name} {seen[check.name]}"
