"""A faster clock for the watcher: invokes it every second, where EventBridge would every minute.

It does so only while the watcher's rule is enabled, which it is while a job is open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local.stack import aws

_EVENT = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@dataclass(frozen=True)
class Clock:
    """The watcher's function and the rules that have it as target."""

    events: Any
    functions: Any
    function: str

    @classmethod
    def of(cls, *, endpoint_url: str, function: str) -> Clock:
        return cls(aws.client("events", endpoint_url), aws.client("lambda", endpoint_url), function)

    def tick(self) -> None:
        """Invokes the watcher if its rule is enabled, and waits for it, so that ticks never pile up."""
        if self._enabled():
            self.functions.invoke(FunctionName=self.function, Payload=json.dumps(_EVENT))

    def _enabled(self) -> bool:
        configuration = self.functions.get_function_configuration(FunctionName=self.function)
        names = self.events.list_rule_names_by_target(TargetArn=configuration["FunctionArn"])["RuleNames"]
        return any(self.events.describe_rule(Name=name)["State"] == "ENABLED" for name in names)
