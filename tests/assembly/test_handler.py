"""The message of a set comes again soon after its worker was killed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from assembly import handler
from foundation import bus
from foundation.events import AssembleDataset
from tests.flow.system import FakeContext


def event() -> dict[str, Any]:
    body = AssembleDataset(distillation_id="", dataset_id="dataset_1", correlation_id="dataset_1", at=1).to_json()
    return {
        "Records": [
            {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        ]
    }


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sets that were made."""
    ids: list[str] = []
    monkeypatch.setattr(handler, "make", lambda dataset_id, _: ids.append(dataset_id))
    return ids


def test_it_comes_again_seconds_after_the_invocation_must_have_ended(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[tuple[Any, ...]] = []

    def come_again(*about: Any, after_s: int) -> None:
        assert not made, "before the work, which may be killed"
        again.append((*about, after_s))

    monkeypatch.setattr(bus, "come_again", come_again)
    assert handler.entry(event(), FakeContext()) == {"batchItemFailures": []}
    assert (made, again) == (["dataset_1"], [("ASSEMBLY_QUEUE_URL", "r", 70)])


def test_a_queue_that_refuses_that_keeps_no_set_from_being_made(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "ChangeMessageVisibility")

    monkeypatch.setattr(bus, "come_again", refused)
    assert handler.entry(event(), FakeContext()) == {"batchItemFailures": []}
    assert made == ["dataset_1"]
