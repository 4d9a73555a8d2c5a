import pytest

from local.demo import traffic
from local.demo.waiting import DemoFailed, GaveUp


@pytest.fixture
def answers(fake, make_row):
    def make(count):
        return fake.lab().answers("big", [make_row(f"t{n}", "train") for n in range(count)], lambda _: None)

    return make


def test_completions_are_pushed_in_batches_with_what_is_known_about_them(fake, answers, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH_ROWS", 3)
    counted = []
    batches, ids = traffic.push(fake.client(), answers(7), "tag", counted.append)
    assert counted == [3, 3, 1]
    assert len(batches) == 3
    assert ids == [record["response"]["id"] for record in fake.captured]
    record = fake.captured[0]
    assert record["request"] == {"model": "big", "messages": [{"role": "user", "content": "t0"}]}
    assert record["metadata"] == {"split": "train", "demo": "tag"}
    assert record["reference"] == "yes"
    assert record["latency_ms"] >= 0


def test_a_batch_ends_before_the_largest_body(fake, answers, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH_BYTES", 10)
    batches, _ = traffic.push(fake.client(), answers(3), "tag", lambda _: None)
    assert len(batches) == 3


def test_a_refused_record_ends_the_demo_with_its_reason(fake, answers):
    fake.refuse = [{"index": 0, "param": "response.choices", "code": "missing", "message": "is missing"}]
    with pytest.raises(DemoFailed, match=r"1 completion refused; the first: response\.choices: is missing"):
        traffic.push(fake.client(), answers(1), "tag", lambda _: None)


def test_waiting_ends_when_every_batch_is_recorded(fake):
    counted = []
    traffic.wait_recorded(fake.client(), ["capture_1", "capture_2"], counted.append)
    assert sum(counted) == 2
    assert len(fake.paths("GET")) == 4


def test_waiting_for_what_never_comes_says_what_it_was(fake, monkeypatch):
    fake.looks_until_recorded = 10**9
    monkeypatch.setattr(
        traffic,
        "until",
        lambda event, probe: (_ for _ in ()).throw(GaveUp(event, 1)) if probe() is None else None,
    )
    with pytest.raises(GaveUp, match="waited 1 s for the completions of capture_1 to be readable"):
        traffic.wait_recorded(fake.client(), ["capture_1"], lambda _: None)


def test_gateway_calls_are_stored_under_the_runs_tag_and_then_listed(fake, make_row):
    rows = [make_row(f"t{number}", "train") for number in range(5)]
    client = fake.client()
    ids = traffic.call_gateway(client, "big", rows, "tag", lambda _: None)
    bodies = [body for verb, path, body in fake.calls if (verb, path) == ("POST", "/v1/chat/completions")]
    assert len(set(ids)) == 5
    assert all(body["store"] is True for body in bodies)
    assert bodies[0]["metadata"] == {"split": "train", "demo": "tag", "via": "gateway"}
    traffic.wait_listed(client, ids, "tag")
