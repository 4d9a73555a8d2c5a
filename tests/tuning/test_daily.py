"""The day's work: an alias whose dataset cannot be read keeps no other from being looked at."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aliases import changing
from aliases.changing import Said
from assembly.drift.look import look
from foundation import table
from foundation.drift_messages import LookForDrift
from foundation.ids import now
from providers.model_version import ModelVersion
from tests.aliases.build import routing
from tests.assembly.drifting import ALIAS, learnt, mails, traffic
from tests.distilling import build
from tests.flow.system import CLOCK, FakeContext, System
from tuning import daily


def unreadable(system: System) -> str:
    """The model of a dataset of which this version cannot read the row."""
    source = {"type": "stored_completions", "created_before": build.AT + 60}
    dataset_id = str(system.ok("POST", "/v1/datasets", {"source": source})["id"])
    while system.deliver("ASSEMBLY"):
        pass
    table.update("DATASET", dataset_id, {"card": "json:{}"})
    version = ModelVersion(id="lab-small:odd", created_at=1, base=build.STUDENT, trainer="", dataset_id=dataset_id)
    version.create()
    return version.id


def test_every_other_alias_is_looked_at_and_the_error_is_raised(system: System) -> None:
    learnt(system)
    odd = unreadable(system)
    changing.put("a-first", routing((odd, 1)), Said("ada"))
    changing.put("z-last", routing((build.MODEL, 1)), Said("ada"))
    with pytest.raises(ValidationError):
        CLOCK({"due": "daily"}, FakeContext())
    assert [message["alias"] for message in build.sent(system, "ASSEMBLY")] == [ALIAS, "z-last"]


def test_a_slice_that_cannot_be_looked_at_keeps_no_other_from_it(system: System) -> None:
    learnt(system)
    odd = unreadable(system)
    changing.put(ALIAS, routing((build.MODEL, 1), (odd, 1, {"country": "ch"})), Said("ada"))
    traffic(system, mails(120, seed=2, first=1000))
    daily.look_for_drift()
    assert [one["alias"] for one in build.sent(system, "ASSEMBLY")] == [ALIAS]
    message = LookForDrift(alias=ALIAS, at=1000 * now())
    with pytest.raises(ValidationError):
        look(message, FakeContext())
    changing.put(ALIAS, routing((build.MODEL, 1)), Said("ada"))
    assert system.ok("GET", f"/v1/aliases/{ALIAS}/drift")["status"] == "steady"


def test_a_part_that_raises_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def broken() -> None:
        raise LookupError

    def sound() -> None:
        done.append(1)

    monkeypatch.setattr(daily, "_PARTS", (broken, sound))
    with pytest.raises(LookupError):
        daily.daily()
    assert done == [1]
