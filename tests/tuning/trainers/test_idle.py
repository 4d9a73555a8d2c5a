"""Scale to zero: its scaling and its alarms are there once, and gone for good, whatever call is lost."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.cloud import aws_client
from tests.tuning.trainers.far_sagemaker import FarSageMaker, make_sleeping_side
from tests.tuning.trainers.far_side import Killed, Strike
from tuning.trainers import idle

pytestmark = pytest.mark.usefixtures("system")
BASE, INTENT = "ftjob-1-base", "ftjob-1"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarSageMaker:
    return make_sleeping_side(monkeypatch)


def there(far: FarSageMaker) -> list[str]:
    alarms = [alarm["AlarmName"] for alarm in aws_client("cloudwatch").describe_alarms()["MetricAlarms"]]
    records = [record.name for kind in ("scalable-target", "scaling-policy") for record in far.records.all(kind)]
    return sorted([*alarms, *records])


@pytest.mark.parametrize(("killed", "after"), [(True, False), (True, True), (False, True)])
def test_what_is_lost_anywhere_is_made_once_and_deleted_for_good(killed: bool, after: bool, far: FarSageMaker) -> None:
    error: BaseException = Killed() if killed else far.lost
    for number in range(1, 10):
        strikes = []
        for act in (lambda: idle.allow(BASE, INTENT), lambda: idle.remove([INTENT, BASE])):
            strikes.append(Strike(number, after, error))
            with far.struck(strikes[-1]), suppress(Exception, Killed):
                act()
            act()
            if len(strikes) == 1:
                assert there(far) == [
                    f"{INTENT}-asleep",
                    f"{INTENT}-awake",
                    f"{INTENT}-awake",
                    f"{BASE}-awake",
                    f"inference-component/{BASE}",
                ], f"call {number}"
        assert there(far) == [], f"call {number}"
        if not any(strike.struck for strike in strikes):
            assert number > 4
            return
    raise AssertionError("there are too many calls")
