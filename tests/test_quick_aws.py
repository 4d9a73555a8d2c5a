"""The quick ways through moto and botocore give what their own ways give."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.core import request as moto_request

from foundation import blobs, table
from tests import quick_aws, quick_calls, quick_client
from tests.examples import examples

type Steps = list[tuple[str, dict[str, Any]]]

WORD = st.text(alphabet="ab#é", min_size=1, max_size=3)
VALUE = st.recursive(
    st.one_of(
        WORD.map(lambda text: {"S": text}),
        st.integers(-9, 9).map(lambda number: {"N": str(number)}),
        st.binary(max_size=3).map(lambda raw: {"B": raw}),
        st.booleans().map(lambda flag: {"BOOL": flag}),
        st.just({"NULL": True}),
        st.sets(WORD, min_size=1, max_size=2).map(lambda texts: {"SS": sorted(texts)}),
        st.sets(st.binary(max_size=2), min_size=1, max_size=2).map(lambda raw: {"BS": sorted(raw)}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda values: {"L": values}),
        st.dictionaries(st.sampled_from(["S", "N", "value", "L"]), inner, max_size=2).map(lambda map_: {"M": map_}),
    ),
    max_leaves=4,
)
PARTITION = st.sampled_from(["a", "é#"])
KEY = st.tuples(PARTITION, st.sampled_from(["a", "b"])).map(lambda key: {"pk": {"S": key[0]}, "sk": {"S": key[1]}})
ROW = st.tuples(KEY, st.dictionaries(st.sampled_from(["value", "count"]), VALUE)).map(
    lambda parts: {**parts[1], **parts[0]}
)
CONDITION_TEXTS = [
    "attribute_not_exists(#value)",
    "attribute_exists(pk) AND #value = :one",
    "attribute_exists(pk) AND (attribute_not_exists(#value) OR attribute_type(#value, :null))",
    "attribute_exists(pk) AND #count = :one AND (#value <> :other)",
    "attribute_exists(pk) AND (#value IN (:one, :other))",
    "(#value < :one)",
    "#value <= :one",
    "#count > :one",
    "#count >= :other",
    "#value <= :one OR #count > :one AND #count >= :other",
    "attribute_type(#value, :one) AND sk = :other",
    "((attribute_exists(pk)))",
    "(attribute_exists(pk)) AND ((#value = :one))",
    "(attribute_exists(pk) AND #value = :one) OR (#count = :other)",
    "NOT #value = :one",
    "#value BETWEEN :one AND :other",
    "begins_with(#value, :one)",
    "#value = #count",
    "#value = :absent",
    "#absent = :one",
    "attribute_exists(sk) attribute_exists(pk)",
    "attribute_exists(pk",
]
SMALL = st.sampled_from([{"N": "1"}, {"N": "2"}, {"S": "a"}, {"S": "N"}, {"S": "ab"}, {"NULL": True}, {"BOOL": True}])


def a_condition(text: str, one: Any, other: Any, spare: bool) -> dict[str, Any]:
    """A text with the names and the values that it has, and where `spare` is true one more."""
    names = {f"#{name}": name for name in ("value", "count") if f"#{name}" in text or spare}
    of = {":one": one, ":other": other, ":null": {"S": "NULL"}}
    values = {name: value for name, value in of.items() if name in text}
    parts = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    return {"ConditionExpression": text, **{name: part for name, part in parts.items() if part}}


CONDITION = st.one_of(
    st.sampled_from(
        [
            {},
            {"ConditionExpression": "attribute_not_exists(#name)", "ExpressionAttributeNames": {"#name": "pk"}},
            {"ConditionExpression": "attribute_exists(#name)", "ExpressionAttributeNames": {"#name": "value"}},
            {"ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(absent)"},
            {"ConditionExpression": "nonsense("},
        ]
    ),
    st.builds(
        a_condition,
        st.sampled_from(CONDITION_TEXTS),
        st.one_of(SMALL, VALUE),
        SMALL,
        st.sampled_from([False] * 7 + [True]),
    ),
)
CHANGES = [
    ("SET #value = :value", True),
    ("SET #value = :value, #count = :value", True),
    ("SET #value = :value, #value = :value", True),
    ("SET #key = :value", True),
    ("SET #value = :value, another = :value", True),
    ("ADD #value :value", True),
    ("REMOVE #value", False),
    ("SET #value = if_not_exists(#value, :value) + :value", True),
    ("SET nonsense", False),
]
CHANGE = st.sampled_from(CHANGES)
TABLE = {"TableName": "table"}
REFUSED = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])


def an_update(key: Any, change: tuple[str, bool], value: Any, condition: Any) -> dict[str, Any]:
    expression, takes_value = change
    of = {"#value": "value", "#count": "count", "#key": "sk", "#mark": "mark"}
    names = {name: place for name, place in of.items() if name in expression}
    names |= condition.get("ExpressionAttributeNames", {})
    values = {**({":value": value} if takes_value else {}), **condition.get("ExpressionAttributeValues", {})}
    return {
        **TABLE,
        **condition,
        "Key": key,
        "UpdateExpression": expression,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda made: {name: value for part in made for name, value in part.items()})


def named(name: str, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return strategy.map(lambda made: {name: made})


IN_TABLE = st.just(TABLE)
PUT = merged(IN_TABLE, named("Item", ROW), CONDITION)
UPDATE = st.builds(an_update, KEY, CHANGE, st.one_of(VALUE, st.just({"N": "1"})), CONDITION)
DELETE = merged(IN_TABLE, named("Key", KEY), CONDITION)
OLD = named("ReturnValues", st.sampled_from(["NONE", "ALL_OLD"]))
ANY_VALUES = named("ReturnValues", st.sampled_from(["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]))
CHECK = merged(IN_TABLE, named("Key", KEY), CONDITION.filter(bool), REFUSED)
TRANSACTED = st.one_of(
    named("Put", merged(PUT, REFUSED)), named("Update", UPDATE), named("Delete", DELETE), named("ConditionCheck", CHECK)
)
WRITTEN = st.one_of(
    named("PutRequest", named("Item", ROW)),
    named("DeleteRequest", named("Key", KEY)),
)
STEP = st.one_of(
    merged(PUT, OLD, REFUSED).map(lambda made: ("put_item", made)),
    merged(UPDATE, ANY_VALUES, REFUSED).map(lambda made: ("update_item", made)),
    merged(DELETE, OLD, REFUSED).map(lambda made: ("delete_item", made)),
    st.lists(TRANSACTED, min_size=1, max_size=3).map(lambda made: ("transact_write_items", {"TransactItems": made})),
    st.lists(WRITTEN, min_size=1, max_size=3).map(lambda made: ("batch_write_item", {"RequestItems": {"table": made}})),
    st.lists(KEY, min_size=1, max_size=3).map(
        lambda made: ("batch_get_item", {"RequestItems": {"table": {"Keys": made, "ConsistentRead": True}}})
    ),
    merged(IN_TABLE, named("Key", KEY)).map(lambda made: ("get_item", made)),
)
FIRST = st.lists(PUT.map(lambda made: ("put_item", {**TABLE, "Item": made["Item"]})), max_size=3)


def motos_own(patch: pytest.MonkeyPatch) -> None:
    for owner, name in quick_aws.QUICK:
        patch.setattr(owner, name, quick_aws.OWN[owner, name], raising=False)


def made_client(service: str) -> Any:
    return boto3.client(service, "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


@cache
def client_of(service: str, *, own: bool) -> Any:
    """A client signs as botocore did when it was made."""
    with pytest.MonkeyPatch.context() as patch:
        if own:
            motos_own(patch)
        return made_client(service)


def assert_same(answers: Callable[[Callable[[str], Any]], Any]) -> None:
    """What is asked of both kinds of clients is answered alike."""
    with mock_aws():
        quick = answers(lambda service: client_of(service, own=False))
    with pytest.MonkeyPatch.context() as patch:
        motos_own(patch)
        with mock_aws():
            own = answers(lambda service: client_of(service, own=True))
    assert quick == own


def answer_of(client: Any, operation: str, **arguments: Any) -> Any:
    """An answer or an error, without what is drawn anew for each."""
    try:
        answer = getattr(client, operation)(**copy.deepcopy(arguments))
    except ClientError as error:
        answer = {**error.response, "raised": type(error).__name__, "text": str(error)}
    except Exception as error:  # noqa: BLE001 - moto's own mistakes too
        return {"raised": type(error).__name__, "text": str(error)}
    metadata = answer.pop("ResponseMetadata")
    drawn = {"LastModified", "RequestId", "HostId"}
    known = {name: value for name, value in answer.items() if name not in drawn}
    return {**known, "status": metadata["HTTPStatusCode"], "retries": metadata["RetryAttempts"]}


def pages(client: Any, **conditions: Any) -> list[Any]:
    """All pages of a query, by two rows a page."""
    answers, start = [], {}
    while True:
        answer = answer_of(client, "query", TableName="table", Limit=2, **start, **conditions)
        answers.append(answer)
        if "LastEvaluatedKey" not in answer:
            return answers
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def with_table(client: Any) -> Any:
    client.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@settings(max_examples=examples(48))
@given(
    rows=st.dictionaries(st.tuples(PARTITION, WORD), VALUE, max_size=16),
    asked=PARTITION,
    from_=WORD,
    forward=st.booleans(),
)
def test_rows_are_read_as_without(rows: Any, asked: str, from_: str, forward: bool) -> None:
    def read(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        for (pk, sk), value in rows.items():
            client.put_item(TableName="table", Item={"pk": {"S": pk}, "sk": {"S": sk}, "value": value})
        whole = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": asked}}}
        ranged = {
            "KeyConditionExpression": "pk = :pk AND sk >= :sk",
            "ExpressionAttributeValues": {":pk": {"S": asked}, ":sk": {"S": from_}},
        }
        between = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":pk": {"S": asked}, ":low": {"S": from_}, ":high": {"S": "b\U0010ffff"}},
            "ConsistentRead": True,
        }
        return [
            pages(client, ScanIndexForward=forward, **between),
            answer_of(client, "query", **TABLE, ScanIndexForward=forward, **between),
            pages(client, ScanIndexForward=forward, **whole),
            pages(client, ScanIndexForward=forward, **ranged),
            pages(client, FilterExpression="attribute_exists(#v)", ExpressionAttributeNames={"#v": "value"}, **whole),
            pages(client, ProjectionExpression="sk, absent", **whole),
            [answer_of(client, "get_item", **TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}) for pk, sk in rows],
            answer_of(client, "scan", **TABLE),
        ]

    assert_same(read)


A_KEY = {"pk": {"S": "a"}, "sk": {"S": "a"}}
FAILS_AFTER_AN_UPDATE = {
    "TransactItems": [
        {"Update": an_update(A_KEY, ("SET #value = :value, another = :value", True), {"N": "1"}, {})},
        {"Put": {**TABLE, "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}},
        {
            "ConditionCheck": {
                **TABLE,
                "Key": {**A_KEY, "sk": {"S": "c"}},
                "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]
}


IS_NEW: dict[str, Any] = {
    "ConditionExpression": "attribute_not_exists(#name)",
    "ExpressionAttributeNames": {"#name": "pk"},
}
ADDS_A_LIST = an_update(A_KEY, ("ADD #value :value", True), {"L": []}, IS_NEW)


@settings(max_examples=examples(160))
@example(first=[], steps=[("update_item", ADDS_A_LIST), ("put_item", {**TABLE, "Item": A_KEY, **IS_NEW})])
@example(first=[("put_item", {**TABLE, "Item": A_KEY})], steps=[("transact_write_items", FAILS_AFTER_AN_UPDATE)])
@given(first=FIRST, steps=st.lists(STEP, max_size=5))
def test_rows_are_written_and_refused_as_without(first: Steps, steps: Steps) -> None:
    def write(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        answers = [answer_of(client, operation, **arguments) for operation, arguments in (*first, *steps)]
        return [*answers, answer_of(client, "scan", **TABLE)]

    assert_same(write)


def test_each_condition_and_each_change_is_judged_as_without() -> None:
    rows: dict[str, dict[str, Any]] = {
        "numbers": {"value": {"N": "1"}, "count": {"N": "2"}},
        "null": {"value": {"NULL": True}, "count": {"N": "1"}},
        "texts": {"value": {"S": "a"}, "count": {"S": "b"}},
        "empty": {},
    }
    one, other = [{"N": "1"}, {"S": "a"}, {"S": "NULL"}], {"N": "2"}

    def judge(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        keys = [{"pk": {"S": "a"}, "sk": {"S": name}} for name in (*rows, "absent")]
        for key in keys[:-1]:
            client.put_item(**TABLE, Item={**key, **rows[key["sk"]["S"]]})
        mark = ("SET #mark = :value", True)
        asked = [
            an_update(key, mark, {"N": str(number)}, a_condition(text, first, other, spare=False))
            for number, text in enumerate(CONDITION_TEXTS)
            for first in (one if ":one" in text else one[:1])
            for key in keys
        ]
        asked += [an_update(key, change, {"N": "5"}, {}) for change in CHANGES for key in (keys[0], keys[-1])]
        return [*(answer_of(client, "update_item", **each) for each in asked), answer_of(client, "scan", **TABLE)]

    assert_same(judge)


def test_a_row_that_is_too_large_is_refused_as_without() -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    def write(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        sizes = (404_900, 404_990, 405_000, 420_000)
        return [
            answer_of(client, "put_item", **TABLE, Item={**key, "x": {"S": "é"}, "y": {"S": "a" * size}})
            for size in sizes
        ]

    assert_same(write)


@pytest.mark.parametrize("forward", [True, False])
def test_a_page_ends_where_it_is_full_as_without(forward: bool) -> None:
    def read(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        for sk, size in zip("abcdefg", (300_000, 400_000, 200_000, 250_000, 404_000, 10, 200_000), strict=True):
            client.put_item(**TABLE, Item={"pk": {"S": "p"}, "sk": {"S": sk}, "value": {"B": b"x" * size}})
        asked = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":pk": {"S": "p"}, ":low": {"S": "b"}, ":high": {"S": "f"}},
        }
        first = answer_of(client, "query", **TABLE, ScanIndexForward=forward, **asked)
        start = {"ExclusiveStartKey": first["LastEvaluatedKey"]}
        return [first, answer_of(client, "query", **TABLE, ScanIndexForward=forward, **asked, **start)]

    assert_same(read)


def test_what_is_no_parameter_is_refused_as_without() -> None:
    bad: list[tuple[str, dict[str, Any]]] = [
        ("get_item", {"Key": {"pk": {"S": "a"}}}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": ""}}}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "Unknown": 1}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConsistentRead": "yes"}),
        ("get_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}, "other": {"S": "c"}}}),
        ("get_item", {"Key": ["pk", "sk"]}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "value": {"S": 1}}}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "value": "text"}}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "value": {"N": "one"}}}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "value": {"N": "1" * 200}}}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "value": {"NULL": False}}}),
        ("put_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "b" * 1025}}}),
        ("put_item", {"Item": {"pk": {"S": "a" * 2049}, "sk": {"S": "b"}}}),
        ("put_item", {"Item": {"sk": {"S": "b"}}}),
        ("put_item", {}),
        ("query", {"KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high"}),
        ("delete_item", {"Key": {"pk": {"S": "a"}, "value": {"S": "b"}}}),
        ("update_item", {"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "UpdateExpression": ""}),
    ]

    def ask(of: Callable[[str], Any]) -> Any:
        client = with_table(of("dynamodb"))
        client.put_item(**TABLE, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
        none = [answer_of(client, "batch_write_item", RequestItems={"table": []})]
        many = [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"S": str(n)}}}} for n in range(26)]
        none += [answer_of(client, "batch_write_item", RequestItems={"table": many})]
        none += [answer_of(client, "batch_get_item", RequestItems={"table": {"Keys": []}})]
        return [*none, *(answer_of(client, operation, **TABLE, **given) for operation, given in bad)]

    assert_same(ask)


def test_a_table_that_is_absent_is_refused_as_without() -> None:
    def ask(of: Callable[[str], Any]) -> Any:
        return answer_of(of("dynamodb"), "get_item", **TABLE, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})

    assert_same(ask)


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"]), min_size=1)


@settings(max_examples=examples(40))
@given(texts=st.lists(TEXT, min_size=1, max_size=3), number=st.integers(1, 10), kind=TEXT)
def test_messages_are_sent_and_received_as_without(texts: list[str], number: int, kind: str) -> None:
    drawn = {"MessageId", "ReceiptHandle", "SentTimestamp", "ApproximateFirstReceiveTimestamp"}

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: known(inner) for name, inner in value.items() if name not in drawn}
        return [known(inner) for inner in value] if isinstance(value, list) else value

    def exchange(of: Callable[[str], Any]) -> Any:
        sqs = of("sqs")
        queue = {"QueueUrl": sqs.create_queue(QueueName="queue")["QueueUrl"]}
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        entries = [{"Id": str(place), "MessageBody": text} for place, text in enumerate(texts)]
        answers = [
            answer_of(sqs, "send_message", **queue, MessageBody=texts[0], MessageAttributes=attributes),
            answer_of(sqs, "send_message_batch", **queue, Entries=entries),
            answer_of(sqs, "send_message_batch", **queue, Entries=[]),
        ]
        asked = {"MaxNumberOfMessages": number, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        received = sqs.receive_message(**queue, **asked)
        messages = received.get("Messages", [])
        for message in messages:
            handle = {"ReceiptHandle": message["ReceiptHandle"]}
            answers.append(answer_of(sqs, "change_message_visibility", **queue, **handle, VisibilityTimeout=0))
            answers.append(answer_of(sqs, "delete_message", **queue, **handle))
        left = sqs.get_queue_attributes(**queue, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        answers += [
            answer_of(sqs, "receive_message", **queue, MaxNumberOfMessages=10),
            answer_of(sqs, "delete_message", **queue, ReceiptHandle="absent"),
            answer_of(sqs, "send_message", QueueUrl=queue["QueueUrl"] + "-absent", MessageBody="a"),
        ]
        return known([answers, messages, left])

    assert_same(exchange)


ODD_NAME = st.text(alphabet="ab/é +%#?", min_size=1, max_size=4).filter(lambda name: not name.startswith("/"))
NAME = st.one_of(ODD_NAME, st.text(alphabet="a1_-.=#/", min_size=1, max_size=6).map("runs/{}.json".format))


@settings(max_examples=examples(40))
@given(
    contents=st.dictionaries(NAME, st.binary(max_size=6), min_size=1, max_size=3),
    prefix=NAME,
    meta=st.sampled_from([{}, {"Metadata": {"a_b": "c"}}, {"CacheControl": "no-store"}]),
)
def test_objects_are_kept_as_without(contents: dict[str, bytes], prefix: str, meta: dict[str, Any]) -> None:
    def keep(of: Callable[[str], Any]) -> Any:
        s3, bucket = of("s3"), {"Bucket": "bucket"}
        s3.create_bucket(**bucket)
        answers = []
        for name, content in contents.items():
            named = {**bucket, "Key": name}
            sent = {"Body": content, "ContentType": "text/plain", **meta}
            answers += [
                answer_of(s3, "get_object", **named),
                answer_of(s3, "put_object", **named, **sent, IfNoneMatch="*"),
                answer_of(s3, "put_object", **named, **sent, IfNoneMatch="*"),
                answer_of(s3, "put_object", **named, **{**sent, "Body": content[::-1]}),
                answer_of(s3, "head_object", **named),
                answer_of(s3, "copy_object", **bucket, Key=name + "2", CopySource=named),
            ]
            parts = [{"Range": f"bytes={part}"} for part in ("1-2", "2-", "9-")]
            for asked in ({}, *parts, {"IfMatch": '"other"'}):
                answer = answer_of(s3, "get_object", **named, **asked)
                answers += [answer.pop("Body").read() if "Body" in answer else None, answer]
        names = [{"Key": name} for name in contents]
        pages = ({}, {"Prefix": ""}, {"Prefix": prefix}, {"Prefix": "runs/"}, {"Prefix": "none"}, {"MaxKeys": 1})
        for page in [answer_of(s3, "list_objects_v2", **bucket, **asked) for asked in pages]:
            rows = page.pop("Contents", [])
            answers += [page.keys() - {"NextContinuationToken"}, [{**row, "LastModified": 0} for row in rows]]
            answers += [{name: page[name] for name in ("KeyCount", "IsTruncated", "MaxKeys", "Name", "EncodingType")}]
            answers += [page.get("Prefix")]
        absent = [{"Key": "runs/absent.json"}]
        answers += [answer_of(s3, "delete_objects", **bucket, Delete={"Objects": names + absent, "Quiet": True})]
        answers += [answer_of(s3, "head_object", **bucket, Key=name) for name in contents]
        answers += [answer_of(s3, "get_object", **bucket, Key=name) for name in contents]
        answers += [
            answer_of(s3, "list_objects_v2", Bucket="absent"),
            answer_of(s3, "list_objects_v2", **bucket)["KeyCount"],
        ]
        for answer in answers:
            if isinstance(answer, dict):
                answer.get("CopyObjectResult", {}).pop("LastModified", None)
        return answers

    assert_same(keep)


def secrets_of(client: Any) -> list[Any]:
    """What is said of secrets that are there, changed, deleted, binary and absent."""
    made = client.create_secret(Name="first", SecretString="abc")
    client.create_secret(Name="raw", SecretBinary=b"abc")
    asked = ("first", made["ARN"], "raw", "absent", "", 1)
    answers = [answer_of(client, "get_secret_value", SecretId=name) for name in asked]
    answers += [answer_of(client, "get_secret_value", SecretId="first", VersionId="absent")]
    client.put_secret_value(SecretId="first", SecretString="def")
    answers += [answer_of(client, "get_secret_value", SecretId="first")]
    client.delete_secret(SecretId="first")
    answers += [answer_of(client, "get_secret_value", SecretId=name) for name in ("first", "raw")]
    kinds = [(type(answer.get("CreatedDate")), str(answer.get("CreatedDate"))[-6:]) for answer in answers]
    drawn = {"ARN", "VersionId", "CreatedDate"}
    return [*kinds, *({name: value for name, value in answer.items() if name not in drawn} for answer in answers)]


def test_topics_rules_and_secrets_answer_as_without() -> None:
    def ask(of: Callable[[str], Any]) -> Any:
        sns, events, secrets = of("sns"), of("events"), of("secretsmanager")
        topic = answer_of(sns, "create_topic", Name="topic")
        sent = answer_of(sns, "publish", TopicArn=topic["TopicArn"], Message="é&=", Subject="a b")
        del sent["MessageId"]
        return [
            topic,
            sent,
            answer_of(sns, "publish", TopicArn=topic["TopicArn"] + "x", Message="a"),
            answer_of(events, "put_rule", Name="rule", ScheduleExpression="rate(1 minute)", State="DISABLED"),
            answer_of(events, "enable_rule", Name="rule"),
            answer_of(events, "describe_rule", Name="rule"),
            answer_of(events, "disable_rule", Name="rule"),
            answer_of(events, "describe_rule", Name="rule"),
            *(answer_of(events, "enable_rule", Name=name) for name in ("absent", "", 1)),
            answer_of(events, "enable_rule", Name="rule", EventBusName="absent"),
            *secrets_of(secrets),
        ]

    assert_same(ask)


@pytest.mark.parametrize(
    ("url", "headers", "content"),
    [
        ("https://s3.amazonaws.com/b/k%20%C3%A9%2F+x?list-type=2&prefix=a%20b", {"x-amz-meta-a_b": "c"}, b"abc"),
        ("https://sns.us-east-1.amazonaws.com/", {"Content-Type": "text/plain", "Content-Length": "1"}, b"a"),
        ("http://127.0.0.1:4566/", {"Transfer-Encoding": "chunked", "X-Amz-Target": b"A.B"}, None),
    ],
)
def test_a_request_is_made_as_moto_makes_it(url: str, headers: dict[str, Any], content: bytes | None) -> None:
    """What a server would add stays away: nothing of moto's reads it."""
    quick = quick_calls.make_request(moto_request.Request, "PUT", url, headers, content)
    own = quick_calls._own_request("PUT", url, headers, content)
    for name, value in quick.environ.items():
        if name not in {"wsgi.input", "werkzeug.request"}:
            assert (name, own.environ[name]) == (name, value)
    for name in ("method", "url", "raw_url", "raw_path", "path", "data", "content_type", "from_wsgi_server"):
        assert getattr(quick, name) == getattr(own, name), name
    assert list(quick.args.items(multi=True)) == list(own.args.items(multi=True))
    assert {name.lower(): value for name, value in quick.headers} == {n.lower(): v for n, v in own.headers}


@pytest.mark.usefixtures("cloud")
def test_what_the_functions_ask_goes_straight_to_its_action(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: Any) -> None:
        raise AssertionError("by HTTP")

    monkeypatch.setattr(quick_calls, "_own_send", send)
    monkeypatch.setattr(quick_client, "_handler", send)
    row = {"pk": "a", "sk": "b", "text": "", "count": -3, "raw": b"\x00", "is": False, "none": None}
    table.put(row)
    assert table.get("a", "b") == row
    assert table.put_new({"pk": "a", "sk": "c"})
    assert not table.put_new({"pk": "a", "sk": "c"})
    assert table.update("a", "c", {"count": 1}, where={"text": None})
    assert not table.update("a", "c", {"count": 2}, where={"count": 2}, condition="#count < :most", values={"most": 9})
    assert not table.update("a", "absent", {"count": 2})
    table.write_all([{"pk": "a", "sk": "d"}, {"pk": "a", "sk": "e"}])
    table.delete("a", "d")
    assert [row["sk"] for row in table.query("a", after="b", limit=1, descending=True)] == ["e"]
    assert table.get_all([("a", "e"), ("a", "d")]) == {("a", "e"): {"pk": "a", "sk": "e"}}
    assert blobs.find("runs/one/plan.json") is None
    assert blobs.put_new("runs/one/plan.json", b"{}")
    assert not blobs.put_new("runs/one/plan.json", b"[]")
    assert blobs.get("runs/one/plan.json", offset=1) == b"}"
    assert list(blobs.raw_lines("runs/one/plan.json") or ()) == [b"{}"]
    assert blobs.size("runs/one/plan.json") == 2


def test_who_listens_to_the_requests_of_a_client_hears_them() -> None:
    heard = []
    with mock_aws():
        client = with_table(made_client("dynamodb"))
        client.scan(**TABLE)
        client.meta.events.register("before-send.dynamodb.Scan", lambda request, **_: heard.append(request.url))
        client.scan(**TABLE)
    assert len(heard) == 1


def test_a_call_of_another_host_leaves_the_process() -> None:
    client = boto3.client(
        "dynamodb",
        "us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with mock_aws(), pytest.raises(EndpointConnectionError):
        client.scan(**TABLE)
