"""What every fake works with: the records, the controls, the lab, S3, and the bus for its events."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from local.fakes.controls import Controls
from local.fakes.lab import Lab
from local.fakes.records import Records

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """The surroundings of the fakes. `s3` and `events` are boto3's clients of the AWS that they belong to."""

    records: Records
    controls: Controls
    lab: Lab
    s3: Any
    events: Any

    def tell(self, source: str, kind: str, resource: str, detail: dict[str, Any]) -> None:
        """Send an event, as often as the controls say. AWS's delivery is best effort, and so is this one."""
        entry = {"Source": source, "DetailType": kind, "Resources": [resource], "Detail": orjson.dumps(detail).decode()}
        for _ in range(self.controls.events.copies):
            try:
                self.events.put_events(Entries=[entry])
            except (ClientError, BotoCoreError) as error:
                _log.warning("no event: %s", error)
