"""The hourly sweep: erased bytes are really gone, retention is enforced, half-written objects are finished."""

from __future__ import annotations

from typing import Any

import pytest
from backports import zstd

from capture.odd import completion_of
from capture.record import record
from completions import batches, changes, corrections, frames, index, postings
from completions.filters import Filter
from distillations.dataset import dataset_key
from evals.run import Run
from foundation import aws, blobs, table
from foundation.ids import new_id, now, now_ms
from retention import erase, expire, repair
from rollouts.round import RolloutRound
from tests.capture.build import message, packed
from tests.conftest import Context
from tests.flow import loop
from tests.flow.system import SWEEP, System
from tests.rolling_out import calls as rolling_out

DAY = 86_400


def push(system: System, *records: dict[str, Any]) -> None:
    system.ok("POST", "/v1/captures", list(records))
    system.settle()


def named(number: int, **extra: Any) -> dict[str, Any]:
    return {**loop.record(number, split="train", tag="s"), **extra}


def sweep(monkeypatch: pytest.MonkeyPatch, *, later_s: int = 2 * 3600, left_ms: int = 900_000) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(erase, "now", lambda: now() + later_s)
        patched.setattr(repair, "now_ms", lambda: (now() + later_s) * 1000)
        SWEEP({}, Context(left_ms=left_ms))


def bytes_in(prefix: str) -> bytes:
    return b"".join(zstd.decompress(blobs.get(key)) for key in blobs.keys(prefix))


def everything() -> str:
    return str(aws.dynamodb().scan(TableName="table")["Items"])


def test_a_deleted_completion_leaves_no_bytes_and_its_neighbours_stay(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [named(number, reference=f"secret-{number}", metadata={"user": f"u-{number}"}) for number in range(12)]
    push(system, *records)
    before = {completion.id: completion for completion in index.completions(Filter())}
    for number in (3, 7):
        system.ok("DELETE", f"/v1/chat/completions/chatcmpl-s-{number}")
    sweep(monkeypatch, later_s=60)
    assert b"secret-3" in bytes_in("completions/"), "too early: a recorder may still be at work"
    sweep(monkeypatch)
    text = bytes_in("completions/")
    assert b"secret-3" not in text
    assert b"secret-7" not in text
    assert text.count(b"secret-") == 10
    assert "user=u-3#" not in everything()
    assert "user=u-4#" in everything()
    after = {completion.id: completion for completion in index.completions(Filter())}
    assert after == {name: body for name, body in before.items() if name not in {"chatcmpl-s-3", "chatcmpl-s-7"}}
    assert [completion.id for completion in index.completions(Filter(metadata={"user": "u-4"}))] == ["chatcmpl-s-4"]
    assert not any(list(table.query(changes.erasures(shard))) for shard in range(8))


def test_what_a_set_keeps_of_a_correction_is_erased_with_its_completion(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(system, *(named(number, metadata={"split": "train"}) for number in range(6)))
    for number in (3, 4):
        said = {"message": {"role": "assistant", "content": f"secret-{number}"}, "note": f"note-{number}"}
        system.ok("POST", f"/v1/chat/completions/chatcmpl-s-{number}/correction", said)
    selected = {"type": "stored_completions", "metadata": {"split": "train"}}
    keys = []
    for recipe in ({}, {"seed": 7}):
        asked = system.ok("POST", "/v1/datasets", {"source": selected, "recipe": recipe, "dry_run": True})
        keys.append(dataset_key(asked["id"], "corrections.jsonl"))
    blobs.delete(keys[1:])
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-s-3")
    sweep(monkeypatch)
    assert set(corrections.frozen(keys[0])) == {"chatcmpl-s-4"}
    assert b"secret-3" not in blobs.get(keys[0])
    assert not blobs.exists(keys[1]), "what was deleted with its set does not come back"
    assert not list(table.query(f"{corrections._FROZEN}chatcmpl-s-3"))


def test_a_pair_of_a_rollout_that_is_being_graded_waits_for_a_later_sweep(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = rolling_out.begun()
    with monkeypatch.context() as patched:
        patched.setattr("rolling_out.begin.bus.send_all", lambda _: None)
        push(system, *(rolling_out.call(number) for number in range(3)))

    def left() -> tuple[bool, bool]:
        """Whether some rows of it are, and whether they are still to be erased."""
        copied = any(b"chatcmpl-live-1" in blobs.get(key) for key in blobs.keys("runs/"))
        return copied, any(list(table.query(changes.erasures(shard))) for shard in range(8))

    system.ok("DELETE", "/v1/chat/completions/chatcmpl-live-1")
    sweep(monkeypatch)
    assert b"chatcmpl-live-1" not in bytes_in("completions/")
    assert left() == (True, True)
    for part in next(RolloutRound.every(rollout.id)).runs:
        Run.load(part.run_id).cancel()
    sweep(monkeypatch)
    assert left() == (False, False)


def test_every_copy_is_erased(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for numbers in (range(3), range(2, 5)):
        record([message(numbers, new_id("capture_"))])
    assert len(list(blobs.keys("completions/"))) == 2
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-rec-2")
    sweep(monkeypatch)
    assert b"chatcmpl-rec-2" not in bytes_in("completions/")
    assert [completion.id for completion in index.completions(Filter())] == [
        f"chatcmpl-rec-{number}" for number in (0, 1, 3, 4)
    ]


def test_a_late_delivery_does_not_bring_erased_bytes_back(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = message(range(4), new_id("capture_"))
    record([sent])
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-rec-1")
    sweep(monkeypatch)
    monkeypatch.setattr("capture.record.now_ms", lambda: sent.at + 61_000)
    record([sent])
    assert b"chatcmpl-rec-1" not in bytes_in("completions/")
    assert [completion.id for completion in index.completions(Filter())] == [
        f"chatcmpl-rec-{number}" for number in (0, 2, 3)
    ]


def test_a_late_delivery_does_not_bring_back_what_was_deleted_under_an_id_of_its_own(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two contents that came at once under one id, lists show the later one as `<id>-<hash8>`."""
    completions = [completion_of({**named(0), "reference": reference}) for reference in ("this", "that")]
    sent = packed(completions, new_id("capture_"))
    record([sent])
    shown = {completion.reference: completion.id for completion in index.completions(Filter())}
    second = max(shown, key=lambda reference: len(shown[reference]))
    assert sorted(map(len, shown.values())) == [len("chatcmpl-s-0"), len("chatcmpl-s-0-") + 8]
    system.ok("DELETE", f"/v1/chat/completions/{shown[second]}")
    sweep(monkeypatch)
    assert second.encode() not in bytes_in("completions/")
    monkeypatch.setattr("capture.record.now_ms", lambda: sent.at + 61_000)
    record([sent])
    assert second.encode() not in bytes_in("completions/")
    assert {completion.reference for completion in index.completions(Filter())} == {*shown} - {second}


def test_an_erasure_that_broke_off_goes_on(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    push(system, *(named(number) for number in range(3)))
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-s-1")
    with monkeypatch.context() as patched:

        def lost(key: str, body: bytes) -> None:
            raise ConnectionError(key, len(body))

        patched.setattr(blobs, "put", lost)
        with pytest.raises(ExceptionGroup):
            sweep(monkeypatch)
    assert b"chatcmpl-s-1" in bytes_in("completions/")
    sweep(monkeypatch)
    assert b"chatcmpl-s-1" not in bytes_in("completions/")


def test_without_time_nothing_is_begun(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    push(system, named(1))
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-s-1")
    sweep(monkeypatch, left_ms=1000)
    assert b"chatcmpl-s-1" in bytes_in("completions/")


def test_retention_deletes_what_is_older_and_carries_the_tag(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    old, fresh = now() - 31 * DAY, now() - 29 * DAY
    push(
        system,
        named(1, created=old, metadata={"app": "a"}),
        named(2, created=fresh, metadata={"app": "a"}),
        named(3, created=old, metadata={"app": "b"}),
        named(4, created=old, metadata={"app": "a"}),
    )
    policy = system.ok("POST", "/v1/retention_policies", {"retention_days": 30, "metadata": {"app": "a"}})
    assert (policy["object"], policy["retention_days"]) == ("retention_policy", 30)
    sweep(monkeypatch)
    assert [completion.id for completion in index.completions(Filter())] == ["chatcmpl-s-3", "chatcmpl-s-2"]
    sweep(monkeypatch, later_s=3 * 3600)
    assert b"chatcmpl-s-4" not in bytes_in("completions/")


def test_a_sweep_begins_where_the_last_one_ended_and_late_pushes_take_it_back(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins: list[int] = []
    walk = postings.walk

    def walked(wanted: list[str], low: int, high: int | None, **how: Any) -> Any:
        begins.append(low)
        return walk(wanted, low, high, **how)

    monkeypatch.setattr(postings, "walk", walked)
    first = now() - 60 * DAY
    push(system, named(1, created=first))
    policy = system.ok("POST", "/v1/retention_policies", {"retention_days": 30, "all": True})
    for _ in range(2):
        sweep(monkeypatch)
    assert begins[0] == 0
    assert begins[1] == first // 60 * 60, "until the rows of a late push are surely there"
    with monkeypatch.context() as patched:
        patched.setattr(expire, "now", lambda: now() + 2 * 3600)
        for _ in range(2):
            sweep(monkeypatch)
    assert begins[3] >= now() - 30 * DAY, "what is erased is not walked again"
    push(system, named(2, created=now() - 90 * DAY), named(3, created=now()))
    sweep(monkeypatch)
    assert [completion.id for completion in index.completions(Filter())] == ["chatcmpl-s-3"]
    system.ok("DELETE", f"/v1/retention_policies/{policy['id']}")
    assert list(table.query("SWEPT")) == []


def test_a_sweep_without_time_leaves_no_mark(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    push(system, named(1, created=now() - 60 * DAY))
    system.ok("POST", "/v1/retention_policies", {"retention_days": 30, "all": True})
    sweep(monkeypatch, left_ms=1000)
    assert list(table.query("SWEPT")) == []
    sweep(monkeypatch)
    assert list(index.completions(Filter())) == []


def test_policies_are_listed_and_removed(system: System) -> None:
    policy = system.ok("POST", "/v1/retention_policies", {"retention_days": 1, "all": True})
    assert [policy["id"] for policy in system.ok("GET", "/v1/retention_policies")["data"]] == [policy["id"]]
    assert system.ok("GET", f"/v1/retention_policies/{policy['id']}") == policy
    assert system.ok("DELETE", f"/v1/retention_policies/{policy['id']}")["deleted"] is True
    assert system.ok("GET", "/v1/retention_policies")["data"] == []
    assert system.call("GET", f"/v1/retention_policies/{policy['id']}")[0] == 404


@pytest.mark.parametrize("days", [0, -1, "x", None, 1.5])
def test_a_policy_needs_a_whole_number_of_days(system: System, days: object) -> None:
    status, answer = system.call("POST", "/v1/retention_policies", {"retention_days": days})
    assert status == 400
    assert answer["error"]["param"] == "retention_days"


def test_an_object_whose_recorder_died_is_finished(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.bucket
    sent = message(range(5), new_id("capture_"))
    with monkeypatch.context() as patched:

        def lost(rows: object) -> None:
            raise ConnectionError(rows)

        patched.setattr(table, "write_all", lost)
        assert set(record([sent])) == {sent.event_id}
    assert list(index.completions(Filter())) == []
    sweep(monkeypatch)
    assert [completion.id for completion in index.completions(Filter())] == [
        f"chatcmpl-rec-{number}" for number in range(5)
    ]
    assert frames.unfinished(before_ms=now_ms() + 1) == []
    record([sent])
    assert len(list(index.completions(Filter()))) == 5
    assert batches.parts(sent.batch_id) == {0: 1}


def test_a_deletion_reaches_an_object_whose_rows_are_written_after_it_was_worked_off(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system.bucket
    first, second = message(range(3), new_id("capture_")), message(range(3, 6), new_id("capture_"))
    record([first])
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-rec-1")
    with monkeypatch.context() as patched:
        patched.setattr(frames, "finish", lambda _: None)
        patched.setattr(table, "write_all", lambda _: None)
        record([first, second])
    record([second])
    with monkeypatch.context() as patched:
        patched.setattr(repair, "now_ms", lambda: 0)
        patched.setattr(erase, "now", lambda: now() + 2 * 3600)
        SWEEP({}, Context(left_ms=900_000))
    assert b"chatcmpl-rec-1" in bytes_in("completions/"), "in the object that no row names yet"
    for hours in (2, 4):
        sweep(monkeypatch, later_s=hours * 3600)
    assert b"chatcmpl-rec-1" not in bytes_in("completions/")
    assert [completion.id for completion in index.completions(Filter())] == [
        f"chatcmpl-rec-{number}" for number in (0, 2, 3, 4, 5)
    ]


def test_a_repair_that_breaks_off_shows_nothing_that_was_deleted(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deletion was worked off before anything was recorded under its id, so nothing hides it in its minute."""
    assert system.bucket
    index.delete("chatcmpl-rec-1")
    sweep(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(frames, "finish", lambda _: None)
        patched.setattr(table, "write_all", lambda _: None)
        record([message(range(3), new_id("capture_"))])
    with monkeypatch.context() as patched:
        patched.setattr(changes, "delete", lambda _: 1 / 0)
        with pytest.raises(ExceptionGroup):
            sweep(monkeypatch)
    assert "chatcmpl-rec-1" not in [completion.id for completion in index.completions(Filter())]
    sweep(monkeypatch)
    assert [completion.id for completion in index.completions(Filter())] == ["chatcmpl-rec-0", "chatcmpl-rec-2"]


def test_a_wiped_frame_keeps_the_others_in_their_places() -> None:
    body = b"".join(zstd.compress(text) for text in (b"a" * 50, b"b" * 500, b"c"))
    second = zstd.compress(b"b" * 500)
    start = body.index(second)
    wiped = frames.wipe(body, [(start, len(second))])
    assert len(wiped) == len(body)
    assert zstd.decompress(wiped) == b"a" * 50 + b"c"
    assert frames.wipe(wiped, [(start, len(second))]) == wiped
