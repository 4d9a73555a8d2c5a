import gc
import json
import logging
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from openai import OpenAI

from foundation.edge import SMALLER
from stillhouse import capture
from stillhouse.capturing import Counts, delivery
from stillhouse.capturing.backlog import DiskBacklog, MemoryBacklog
from stillhouse.capturing.counts import Tally
from tests.client.doubles import served

ASK = {"model": "big", "messages": [{"role": "user", "content": "hi"}], "store": True}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 0.05)
    monkeypatch.setattr(delivery, "_FIRST_PAUSE_S", 0.05)


def users(records):
    return [record["request"]["user"] for record in records]


def spooled(tmp_path):
    return sorted((tmp_path / "spool").rglob("*.gz"))


def until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "stillhouse-capture"]


# ---------------------------------------------------------------- while Stillhouse is there


def test_calls_are_pushed_together_without_being_asked_for(client, stillhouse, monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 0.5)
    for user in "abc":
        client.chat.completions.create(**ASK, user=user)
    until(lambda: stillhouse.pushes)
    assert [users(push) for push in stillhouse.pushes] == [["a", "b", "c"]]


def test_a_full_batch_does_not_wait(client, stillhouse, monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 60)
    monkeypatch.setattr(delivery, "BATCH_CALLS", 2)
    for user in "abc":
        client.chat.completions.create(**ASK, user=user)
    until(lambda: stillhouse.pushes)
    assert [users(push) for push in stillhouse.pushes] == [["a", "b"]]


def test_a_batch_stays_under_the_size_that_stillhouse_takes(client, stillhouse, monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 60)
    monkeypatch.setattr(delivery, "BATCH_BYTES", 3000)
    for user in "abc":
        client.chat.completions.create(**{**ASK, "messages": [{"role": "user", "content": user * 2000}]}, user=user)
    assert client.stillhouse.flush(10)
    assert all(len(push) == 1 for push in stillhouse.pushes)
    assert sorted(users(stillhouse.records)) == ["a", "b", "c"]


def test_flush_waits_until_the_batch_is_recorded(client, stillhouse):
    stillhouse.polls = 3
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    assert stillhouse.polls == -1
    assert client.stillhouse.flush(10)
    assert stillhouse.polls == -1
    stillhouse.polls = 10**6
    client.chat.completions.create(**ASK)
    started = time.monotonic()
    assert not client.stillhouse.flush(0.3)
    assert time.monotonic() - started < 2


def test_what_stillhouse_refuses_is_counted_and_not_sent_again(client, stillhouse, caplog):
    stillhouse.status = 400
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    assert stillhouse.tries == 1
    assert client.stillhouse.counts == Counts(captured=1, refused=1)
    assert "refused" in caplog.text
    assert "hi" not in caplog.text


def test_a_call_over_4_mb_is_not_sent_and_the_remedy_is_said(client, stillhouse, caplog):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (5 << 20)}}
    client.chat.completions.create(**{**ASK, "messages": [{"role": "user", "content": [image]}]})
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, refused=1)
    assert stillhouse.tries == 1
    assert SMALLER in caplog.text
    assert "AAAA" not in caplog.text


def test_single_records_that_are_refused_do_not_hold_up_the_others(client, stillhouse, monkeypatch):
    monkeypatch.setattr(delivery, "LINGER_S", 60)  # both go in one push, however slow the machine is
    taken = stillhouse.answer

    def answer(method, path, body, headers):
        status, kind, parts = taken(method, path, body, headers)
        if method == "POST":
            parts = [
                json.dumps({**json.loads(parts[0]), "refused": [{"index": 0, "code": "x", "param": "y"}]}).encode()
            ]
        return status, kind, parts

    monkeypatch.setattr(stillhouse, "answer", answer)
    client.chat.completions.create(**ASK)
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, refused=1)


# ---------------------------------------------------------------- while it is away


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_failing_endpoint_is_tried_again_until_it_takes_the_records(client, stillhouse, status, caplog):
    stillhouse.status = status
    for user in "abc":
        client.chat.completions.create(**ASK, user=user)
        until(lambda: not client.stillhouse._delivery._queue)
    until(lambda: stillhouse.tries >= 3)
    stillhouse.status = 202
    assert client.stillhouse.flush(10)
    assert sorted(users(stillhouse.records)) == ["a", "b", "c"]
    assert client.stillhouse.counts == Counts(captured=3, delivered=3)
    assert len([entry for entry in caplog.records if entry.levelno == logging.WARNING]) == 1


def test_what_no_endpoint_took_is_delivered_by_the_next_process(wrap, nowhere, stillhouse, tmp_path):
    client = wrap(base_url=nowhere)
    for user in "abc":
        client.chat.completions.create(**ASK, user=user)
    assert not client.stillhouse.flush(0.5)
    client.stillhouse.close(1)
    files = spooled(tmp_path)
    assert files
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert client.stillhouse.counts == Counts(captured=3)
    with served(stillhouse, int(nowhere.rpartition(":")[2].removesuffix("/v1"))):
        wrap(base_url=nowhere)
        until(lambda: len(stillhouse.records) == 3)
        until(lambda: not spooled(tmp_path))
    assert users(stillhouse.records) == ["a", "b", "c"]


def test_another_stillhouse_does_not_get_what_was_meant_for_this_one(wrap, nowhere, stillhouse, tmp_path):
    client = wrap(base_url=nowhere)
    client.chat.completions.create(**ASK)
    client.stillhouse.close(1)
    assert wrap().stillhouse.flush(1)
    assert stillhouse.tries == 0
    assert spooled(tmp_path)


def test_an_endpoint_that_hangs_slows_no_call_and_no_exit(client, stillhouse, tmp_path):
    stillhouse.hang.set()
    client.chat.completions.create(**ASK, user="a")
    until(lambda: stillhouse.tries)
    for user in "bcd":
        started = time.monotonic()
        client.chat.completions.create(**ASK, user=user)
        assert time.monotonic() - started < 1
    started = time.monotonic()
    client.stillhouse.close(0.2)
    assert time.monotonic() - started < 1.5
    assert sum(int(file.name.split("-")[2].split(".")[0]) for file in spooled(tmp_path)) == 4


def test_a_redact_hook_that_hangs_holds_up_nothing_and_lets_nothing_out(wrap, stillhouse, tmp_path):
    released = threading.Event()
    client = wrap(redact=lambda record: released.wait(10) and record)
    client.chat.completions.create(**ASK)
    until(lambda: client.stillhouse._delivery._packing)
    client.chat.completions.create(**ASK)
    started = time.monotonic()
    client.stillhouse.close(0.1)
    assert time.monotonic() - started < 1
    assert client.stillhouse.counts == Counts(captured=2, dropped=2)
    assert spooled(tmp_path) == []
    assert stillhouse.tries == 0
    released.set()


def test_without_a_spool_records_wait_in_memory(wrap, stillhouse, tmp_path):
    stillhouse.status = 503
    client = wrap(spool=False)
    client.chat.completions.create(**ASK, user="a")
    until(lambda: stillhouse.tries)
    stillhouse.status = 202
    assert client.stillhouse.flush(10)
    assert users(stillhouse.records) == ["a"]
    stillhouse.status = 503
    client.chat.completions.create(**ASK, user="b")
    client.stillhouse.close(1)
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, dropped=1)
    assert spooled(tmp_path) == []


def test_a_spool_that_cannot_be_made_is_said_and_done_without(wrap, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    client = wrap(spool=tmp_path / "file")
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    assert "no spool" in caplog.text


def test_a_spool_that_can_no_longer_be_written_drops_and_counts(wrap, nowhere, tmp_path, caplog):
    client = wrap(base_url=nowhere)
    (folder,) = (tmp_path / "spool").iterdir()
    (folder / "lock").unlink(missing_ok=True)
    folder.rmdir()
    folder.write_text("no folder")
    client.chat.completions.create(**ASK)
    until(lambda: client.stillhouse.counts == Counts(captured=1, dropped=1))
    assert "cannot spool" in caplog.text
    client.chat.completions.create(**ASK)
    until(lambda: client.stillhouse.counts == Counts(captured=2, dropped=2))


def test_a_spool_that_was_cleaned_away_is_made_again(wrap, nowhere, tmp_path):
    client = wrap(base_url=nowhere)
    shutil.rmtree(tmp_path / "spool")
    client.chat.completions.create(**ASK)
    until(lambda: spooled(tmp_path))
    assert client.stillhouse.counts == Counts(captured=1)


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_full_backlog_drops_the_oldest_and_says_so_once(tmp_path, kind, caplog):
    tally = Tally()
    backlog = DiskBacklog(tmp_path, 250, tally) if kind == "disk" else MemoryBacklog(250, tally)
    for number in range(4):
        backlog.add(bytes([number]) * 100, records=number + 1)
    assert backlog.oldest().body == bytes([2]) * 100
    assert tally.snapshot().dropped == 1 + 2
    assert len(caplog.records) == 1
    assert backlog.add(b"x" * 300, records=5) not in backlog.names()


def test_a_burst_over_the_queues_limit_is_dropped_and_counted(client, stillhouse, monkeypatch, caplog):
    monkeypatch.setattr(delivery, "LINGER_S", 60)
    monkeypatch.setattr(delivery, "QUEUE_CALLS", 2)
    for user in "abcd":
        client.chat.completions.create(**ASK, user=user)
    assert client.stillhouse.flush(10)
    assert users(stillhouse.records) == ["a", "b"]
    assert client.stillhouse.counts == Counts(captured=4, delivered=2, dropped=2)
    assert len(caplog.records) == 1


def test_a_batch_that_breaks_the_thread_does_not_end_it(client, stillhouse, monkeypatch):
    pushed = client.stillhouse._delivery._endpoint.push

    def once(body):
        monkeypatch.setattr(client.stillhouse._delivery._endpoint, "push", pushed)
        raise RuntimeError(body)

    monkeypatch.setattr(client.stillhouse._delivery._endpoint, "push", once)
    client.chat.completions.create(**ASK, user="a")
    client.stillhouse.flush(10)
    client.chat.completions.create(**ASK, user="b")
    assert client.stillhouse.flush(10)
    assert users(stillhouse.records) == ["b"]
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, dropped=1)


def test_whatever_fails_in_the_wrapper_the_caller_gets_the_answer(client, monkeypatch, caplog):
    monkeypatch.setattr("stillhouse.capturing.call.to_json", lambda _: 1 / 0)
    assert client.chat.completions.create(**ASK).choices
    monkeypatch.setattr("stillhouse.capturing.recorder.to_json", lambda _: 1 / 0)
    assert client.chat.completions.create(**ASK).choices
    assert client.stillhouse.counts == Counts(captured=2, dropped=2)
    assert len([entry for entry in caplog.records if entry.levelno == logging.WARNING]) == 1


# ---------------------------------------------------------------- ends and forks


def test_no_thread_is_left(wrap, stillhouse, provider_url, stillhouse_url, tmp_path):
    before = len(threads())
    client = wrap()
    assert len(threads()) == before
    client.chat.completions.create(**ASK)
    assert len(threads()) == before + 1
    client.stillhouse.close()
    assert len(threads()) == before
    client.chat.completions.create(**ASK)
    assert client.stillhouse.flush(10)
    client.stillhouse.close()
    forgotten = capture(
        OpenAI(base_url=provider_url, api_key="k"), base_url=stillhouse_url, api_key="sk-sh-test", spool=tmp_path
    )
    forgotten.chat.completions.create(**ASK)
    del forgotten
    gc.collect()
    until(lambda: len(threads()) == before)
    assert len(stillhouse.records) == 3


def run(script, provider_url, stillhouse_url, spool):
    """A process of its own, without this suite's patches."""
    head = f"""
        from openai import OpenAI
        from stillhouse import capture
        client = capture(OpenAI(base_url={provider_url!r}, api_key="k"),
                         base_url={stillhouse_url!r}, api_key="sk-sh-test", spool={str(spool)!r})
        def ask(user):
            messages = [{{"role": "user", "content": "hi"}}]
            client.chat.completions.create(model="big", messages=messages, store=True, user=user)
    """
    code = textwrap.dedent(head) + textwrap.dedent(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_process_and_its_forks_that_just_end_have_delivered(provider_url, stillhouse_url, stillhouse, tmp_path):
    script = """
        import multiprocessing, os
        ask("a")
        if (child := os.fork()) == 0:
            assert client.stillhouse.counts.captured == 0
            ask("child")
            raise SystemExit
        worker = multiprocessing.get_context("fork").Process(target=ask, args=("worker",))
        worker.start()
        ask("b")
        worker.join()
        assert os.waitpid(child, 0)[1] == worker.exitcode == 0
    """
    run(script, provider_url, stillhouse_url, tmp_path)
    assert sorted(users(stillhouse.records)) == ["a", "b", "child", "worker"]


def test_a_process_that_ends_while_stillhouse_hangs_leaves_its_records_to_the_next(
    wrap, provider_url, stillhouse_url, stillhouse, tmp_path
):
    stillhouse.hang.set()
    script = """
        import atexit, time
        from stillhouse.capturing import delivery, lifetime
        lifetime.EXIT_S, delivery.LINGER_S = 0.3, 0
        ask("pushing")
        while not client.stillhouse._delivery._in_hand: time.sleep(0.01)
        ask("queued")
        started = time.monotonic()
        atexit.unregister(lifetime._close_all)
        atexit.register(lambda: print(time.monotonic() - started))
        atexit.register(lifetime._close_all)
    """
    done = run(script, provider_url, stillhouse_url, tmp_path / "spool")
    assert float(done.stdout) < 2
    assert done.stderr == ""
    assert spooled(tmp_path)
    stillhouse.hang.clear()
    stillhouse.status = 202
    wrap()
    until(lambda: not spooled(tmp_path))
    assert sorted(users(stillhouse.records)) == ["pushing", "queued"]
