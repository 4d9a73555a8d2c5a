import json
import time
from itertools import islice
from types import SimpleNamespace
from uuid import uuid4

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture import ingest, odd, record
from completions import batches, index
from completions.filters import Filter
from completions.postings import Reference
from completions.scan import Scan
from foundation import aws, blobs, events
from foundation.ids import new_id
from foundation.settings import settings as environment
from tests.examples import examples

pytestmark = pytest.mark.usefixtures("cloud")

START = 1_790_000_000
MODELS = {"gpt-4o": "gpt-4o-2024-08-06", "o1": "o1", "lab": None}
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def pushed(name, *, at=START, model="gpt-4o", tags=None, text="Hi.", tokens=None, latency=None):
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop" if tokens else "length"}
    response = {"id": name, "created": at, "choices": [choice]}
    if tokens:
        response["usage"] = {"prompt_tokens": tokens - 1, "completion_tokens": 1}
    if MODELS[model]:
        response["model"] = MODELS[model]
    return {
        "request": {"model": model, "messages": [{"role": "user", "content": "Hello?"}]},
        "response": response,
        "metadata": tags or {},
        **({} if latency is None else {"latency_ms": latency}),
    }


def messages():
    url, bodies = environment().RECORD_QUEUE_URL, []
    while batch := aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(events.parse(message["Body"]))
    return bodies


def push(*records, deliveries=1):
    """Push a batch and let the recorder have each of its messages that often; what the push answered."""
    answer = ingest.ingest(records)
    for message in messages():
        for _ in range(deliveries):
            record.record([message])
    return answer


def ids(wanted=None, **how):
    return [reference.id for reference in index.select(wanted or Filter(), **how)]


class Memory:
    """What the index must be like: a list."""

    def __init__(self):
        self.kept = {}
        self.deleted = set()
        self.edited = {}

    def push(self, record):
        name, text = record["response"]["id"], json.dumps(record, sort_keys=True)
        taken = self.kept.setdefault(name, {})
        if text not in taken:
            digest = odd.completion_of(record).content_hash[:8]
            taken[text] = (f"{name}-{digest}" if taken else name, record)

    def find(self, wanted, *, descending):
        everything = [placed for taken in self.kept.values() for placed in taken.values()]
        fitting = [
            (name, record)
            for name, record in everything
            if name not in self.deleted and self.fits(name, record, wanted)
        ]
        return sorted(fitting, key=self.place, reverse=descending)

    def tags(self, name, record):
        return self.edited.get(name, record["metadata"])

    @staticmethod
    def place(placed):
        return placed[1]["response"]["created"], placed[0]

    def fits(self, name, record, wanted):
        response, asked, tags = record["response"], record["request"]["model"], self.tags(name, record)
        created, tokens = response["created"], sum(response.get("usage", {}).values()) or None
        models = {asked, response.get("model", asked)}
        return (
            (wanted.model is None or wanted.model in models)
            and (wanted.model_not is None or wanted.model_not not in models)
            and wanted.metadata.items() <= tags.items()
            and not wanted.metadata_not.items() & tags.items()
            and (wanted.created_after is None or created >= wanted.created_after)
            and (wanted.created_before is None or created <= wanted.created_before)
            and (wanted.min_tokens is None or (tokens is not None and tokens >= wanted.min_tokens))
            and (wanted.max_latency_ms is None or record.get("latency_ms", 1e9) <= wanted.max_latency_ms)
            and (wanted.finish_reason is None or response["choices"][0]["finish_reason"] == wanted.finish_reason)
            and (wanted.text is None or wanted.text.lower() in response["choices"][0]["message"]["content"].lower())
        )


TIMES = st.integers(START, START + 200) | st.sampled_from([START + 59, START + 60, START + 86_400])
TAGS = st.dictionaries(st.sampled_from(["split", "app", "k=v"]), st.sampled_from(["a", "b", "=#"]), max_size=3)
RECORDS = st.builds(
    pushed,
    st.sampled_from([f"id{number}" for number in range(6)] + ["id1-x", "é#/"]),
    at=TIMES,
    model=st.sampled_from(sorted(MODELS)),
    tags=TAGS,
    text=st.sampled_from(["Hi.", "No.", 'Say "Nö\n"']),
    tokens=st.sampled_from([None, 5, 50]),
    latency=st.sampled_from([None, 0, 900]),
)
FILTERS = st.builds(
    Filter,
    model=st.none() | st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "lab", "none"]),
    metadata=TAGS.filter(lambda tags: len(tags) < 3),
    created_after=st.none() | TIMES,
    created_before=st.none() | TIMES,
    model_not=st.sampled_from([None, None, None, "lab", "gpt-4o"]),
    metadata_not=st.sampled_from([{}, {}, {}, {"app": "a"}]),
    min_tokens=st.sampled_from([None, None, None, 5, 6]),
    max_latency_ms=st.sampled_from([None, None, None, 0, 1000]),
    finish_reason=st.sampled_from([None, None, None, "stop"]),
    text=st.sampled_from([None, None, None, "no", 'y "NÖ\n']),
)


@settings(max_examples=examples(15), suppress_health_check=HEALTH)
@given(
    batches=st.lists(st.lists(RECORDS, min_size=1, max_size=6), min_size=1, max_size=3),
    repeated=st.booleans(),
    question=st.tuples(FILTERS, st.booleans()),
    data=st.data(),
)
def test_the_index_is_like_a_list(cloud, batches, repeated, question, data):
    cloud.empty()
    memory = Memory()
    wanted, descending = question
    for batch in [*batches, *(batches[:1] if repeated else [])]:
        for captured in batch:
            memory.push(captured)
        push(*batch, deliveries=data.draw(st.integers(1, 2)))
    change(memory, data)
    expected = memory.find(wanted, descending=descending)
    completions = list(index.completions(wanted, descending=descending))
    assert [(completion.id, completion.request, completion.metadata) for completion in completions] == [
        (name, reference["request"], memory.tags(name, reference)) for name, reference in expected
    ]
    limit = data.draw(st.integers(1 + len(expected) // 4, 6))
    assert walk(wanted, descending=descending, limit=limit) == [name for name, _ in expected]
    cursor = data.draw(st.sampled_from([placed for taken in memory.kept.values() for placed in taken.values()]))
    sign = -1 if descending else 1
    later = [placed[0] for placed in expected if is_later(placed, cursor, sign)]
    after = index.find(cursor[0], deleted=True)
    assert [completion.id for completion in index.completions(wanted, descending=descending, after=after)] == later


def change(memory, data):
    """Edit and delete some of what is listed."""
    names = sorted(name for name, _ in memory.find(Filter(), descending=False))
    for name in data.draw(st.lists(st.sampled_from(names), max_size=4)):
        reference = index.find(name)
        if reference is None:
            continue
        if data.draw(st.booleans()):
            index.delete(name)
            memory.deleted.add(name)
        else:
            tags = data.draw(TAGS)
            index.edit(next(index.read([reference])), reference, tags)
            memory.edited[name] = tags


def is_later(placed, cursor, sign):
    here, there = Memory.place(placed), Memory.place(cursor)
    return here > there if sign > 0 else here < there


def walk(wanted, *, descending, limit):
    """Page after page, as the API does it: the cursor is the last id."""
    collected, after = [], None
    while page := [
        completion.id for completion in index.completions(wanted, after=after, descending=descending, limit=limit)
    ]:
        collected += page
        assert len(collected) < 100, "the pages never end"
        after = index.find(page[-1])
    return collected


def test_a_redelivered_message_changes_nothing(monkeypatch):
    monkeypatch.setattr("completions.postings.now", lambda: START + 200_000)
    ingest.ingest([pushed(f"id{number}", at=START + number) for number in range(5)])
    (message,) = messages()
    record.record([message])

    def written():
        rows = aws.dynamodb().scan(TableName=environment().TABLE)["Items"]
        return sorted(map(str, rows)), {key: blobs.get(key) for key in blobs.keys("completions/")}

    before = written()
    record.record([message])
    assert written() == before


def test_a_recorder_that_died_in_its_middle_is_repeated(cloud):
    ingest.ingest([pushed(f"id{number}", at=START + 60 * number) for number in range(20)])
    (message,) = messages()
    cloud.lose_call(aws.dynamodb(), "BatchWriteItem", number=2)
    assert set(record.record([message])) == {message.event_id}
    assert batches.parts(message.batch_id) == {}
    record.record([message])
    assert ids() == [f"id{number}" for number in range(20)]
    assert batches.parts(message.batch_id) == {0: 1}


def test_other_bytes_under_a_known_id_stand_beside_the_first():
    push(pushed("x", text="first"))
    answer = push(pushed("x", text="second"))
    (renamed,) = answer["ids"]
    assert renamed.startswith("x-")
    assert len(renamed) == len("x-") + 8
    assert answer["renamed"] == [{"id": renamed, "origin_id": "x"}]
    texts = {
        completion.id: completion.choice["message"]["content"] for completion in index.read(index.select(Filter()))
    }
    assert texts == {"x": "first", renamed: "second"}
    assert push(pushed("x", text="second"))["ids"] == [renamed]
    assert len(ids()) == 2


def test_times_are_inclusive_to_the_second():
    push(*(pushed(f"id{at}", at=START + at) for at in (0, 1, 2, 59, 60)))
    assert ids(Filter(created_after=START + 1, created_before=START + 59)) == ["id1", "id2", "id59"]
    assert ids(Filter(created_after=START + 1, created_before=START + 1)) == ["id1"]
    assert ids(Filter(created_after=START + 3, created_before=START + 2)) == []


@pytest.mark.parametrize("descending", [False, True])
def test_tags_that_meet_in_some_minutes_only(descending):
    """Between two meetings either tag may have minutes of its own, in any number."""
    carried = ["a", "ab", "b", "b", "ab", "a", "a", "a", "b", "ab", "b"]
    push(*(pushed(f"id{at:02d}", at=START + 60 * at, tags=dict.fromkeys(on, "x")) for at, on in enumerate(carried)))
    both = [f"id{at:02d}" for at, on in enumerate(carried) if on == "ab"]
    listed = ids(Filter(metadata={"a": "x", "b": "x"}), descending=descending)
    assert listed == (both[::-1] if descending else both)


def test_find_knows_one_completion():
    push(pushed("x"), pushed("y", at=START + 1))
    completion = index.find("y")
    assert (completion.id, completion.created) == ("y", START + 1)
    assert [record.id for record in index.read([completion, index.find("x"), completion])] == ["y", "x", "y"]
    assert index.find("z") is None
    assert index.find("") is None


def test_known_hashes_are_those_of_each_id():
    push(pushed("x", text="first"))
    digest = odd.completion_of(pushed("x", text="first")).content_hash
    assert index.known_hashes(["x", "y"]) == {"x": {digest}, "y": set()}
    assert index.known_hashes([]) == {}


def test_many_completions_of_one_minute_are_all_there():
    """More than one row holds their references, and reading them reads ahead more than once."""
    completions = [odd.completion_of(pushed(f"id{number:05d}", tags={"a": "b"})) for number in range(2_100)]
    packed = zstd.compress(b"\n".join(completion.line() for completion in completions))
    record.record([events.RecordCompletions(batch_id=new_id("capture_"), part=0, parts=1, records=packed)])
    wanted = Filter(metadata={"a": "b"})
    read = index.read(islice(index.select(wanted), 450))
    assert [completion.id for completion in read] == [completion.id for completion in completions[:450]]
    assert ids(wanted, descending=True) == [completion.id for completion in reversed(completions)]


def test_a_whole_object_is_fetched_once_where_much_of_it_is_wanted(cloud):
    push(*(pushed(f"id{number:02d}") for number in range(30)))
    gets = []
    cloud.on(aws.s3(), "before-call.s3.GetObject", lambda params, **_: gets.append(params["headers"].get("Range")))
    assert [completion.id for completion in index.read(index.select(Filter()))] == [
        f"id{number:02d}" for number in range(30)
    ]
    assert gets == [None]
    assert next(iter(index.read([index.find("id07")]))).id == "id07"
    assert len(gets) == 2
    assert gets[1].startswith("bytes=")


def test_a_page_does_not_read_the_years_behind_it(cloud):
    push(*(pushed(f"id{number:03d}", at=START + 60 * number) for number in range(100)))
    seen = []
    cloud.on(aws.dynamodb(), "after-call.dynamodb.Query", lambda parsed, **_: seen.append(parsed["Count"]))
    wanted = Filter(created_after=START + 60 * 10, created_before=START + 60 * 20)
    assert ids(wanted) == [f"id{number:03d}" for number in range(10, 21)]
    assert sum(seen) == 11
    seen.clear()
    assert ids(after=index.find("id095")) == ["id096", "id097", "id098", "id099"]
    assert sum(seen) <= 6


def test_a_batch_is_recorded_part_by_part():
    answer = ingest.ingest([pushed(f"id{number}") for number in range(401)])
    first, second = sorted(messages(), key=lambda message: message.part)
    batch_id = answer["batch_id"]
    assert batches.parts(batch_id) == {}
    record.record([second])
    assert batches.parts(batch_id) == {1: 2}
    record.record([first])
    assert batches.parts(batch_id) == {0: 2, 1: 2}
    assert batches.parts(new_id("capture_")) == {}


def test_only_a_late_batch_id_may_be_pending(monkeypatch):
    batch_id = new_id("capture_")
    assert batches.may_be_pending(batch_id)
    assert not batches.may_be_pending("capture_x")
    assert not batches.may_be_pending(f"capture_{uuid4()}")
    assert batches.parts("capture_x") == {}
    later = SimpleNamespace(time_ns=lambda: time.monotonic_ns() + 10**18 * 3)
    monkeypatch.setattr("foundation.ids.time", later)
    assert not batches.may_be_pending(batch_id)


def test_a_scan_that_is_out_of_time_looks_at_one_so_that_the_next_page_has_a_beginning():
    scan = Scan(seconds=-1)
    references = [Reference(created, "id", "hash", "object", 0, 1) for created in (1, 2)]
    assert [scan.goes_on(reference) for reference in references] == [True, False]
    assert (scan.at, scan.exhausted) == (references[0], True)
