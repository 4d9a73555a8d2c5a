"""The benches judge; these judge the benches."""

import boto3
import orjson
import pytest
from moto import mock_aws

from tests.bench.lambdas import batches
from tests.bench.meter import Meter, item_bytes
from tests.bench.records import BYTES, record
from tests.bench.table import Line


@pytest.fixture
def meter(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    counter = Meter(platform_logs=False)
    with mock_aws(), counter.counting():
        yield counter


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "äb"}, 3),
        ({"N": "12345"}, 4),
        ({"N": "-12"}, 3),
        ({"N": "1000"}, 2),
        ({"B": b"12345"}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 2 + 3),
        ({"M": {"k": {"S": "ab"}}}, 3 + 1 + 1 + 2),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_an_item_weighs_its_names_and_values(value, size):
    assert item_bytes({"name": value}) == len("name") + size


def test_rows_are_billed_by_the_kilobyte_written_and_by_four_read(meter):
    table = boto3.client("dynamodb")
    keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    meter._count = lambda *_: None
    table.create_table(
        TableName="t",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    del meter._count
    for number in range(3):
        body = {"B": b"x" * 2000}
        table.put_item(TableName="t", Item={"pk": {"S": "p"}, "sk": {"S": str(number)}, "body": body})
    assert meter.units["dynamodb.write_unit"] == 3 * 2
    asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "p"}}}
    table.query(TableName="t", **asked)
    assert meter.units["dynamodb.read_unit"] == 2 / 2
    table.query(TableName="t", ConsistentRead=True, ProjectionExpression="pk, sk", **asked)
    assert meter.units["dynamodb.read_unit"] == 2 / 2 + 2
    table.get_item(TableName="t", Key={"pk": {"S": "none"}, "sk": {"S": "none"}})
    assert meter.units["dynamodb.read_unit"] == 2 / 2 + 2 + 1 / 2
    meter.keep(backups=True)
    assert meter.units["dynamodb.gb_month"] * 1024**3 == pytest.approx(3 * (len("pkpsk0body") + 2000 + 100))


def test_messages_are_billed_by_64_kb(meter):
    meter._send("q", ["x" * 65_536])
    meter._send("q", ["x" * 65_537])
    assert meter.units["sqs.request"] == 1 + 2
    meter.received(["x"] * 21)
    assert meter.units["sqs.request"] == 3 + 3 + 3


@pytest.mark.usefixtures("meter")
def test_a_call_without_a_price_ends_the_bench():
    with pytest.raises(SystemExit, match="ListTables"):
        boto3.client("dynamodb").list_tables()


def test_an_invocation_is_billed_by_memory_time_and_what_it_logs(meter):
    meter.invoke(lambda: meter.logged.write("a line\n"), memory_mb=512)
    assert meter.units["lambda.request"] == 1
    assert 0 < meter.units["lambda.gb_second"] < 0.1
    assert meter.units["logs.gb"] * 1024**3 == pytest.approx(len("a line\n") + 26)


def test_batches_end_at_their_count_and_at_6_mb():
    assert [len(some) for some in batches(["x"] * 25, 10)] == [10, 10, 5]
    assert [len(some) for some in batches(["x" * 1_000_000] * 13, 100)] == [6, 6, 1]


def test_records_have_their_size_and_an_id_each():
    made = [record(number) for number in range(5)]
    assert {len(orjson.dumps(record)) for record in made} == {BYTES}
    assert len({record["response"]["id"] for record in made}) == 5


def test_a_line_misses_its_target():
    assert Line("a", 1.0, most=1.0).met
    assert not Line("a", 1.1, most=1.0).met
    assert not Line("a", 3.1, peer=2.0, most_ratio=1.5).met
    assert Line("a", 3.0, peer=2.0, most_ratio=1.5).met
    assert not Line("a", 3.0, most_ratio=1.5).met
