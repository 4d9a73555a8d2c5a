"""The quick ways through moto and botocore give what their own ways give."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests import quick_aws

WORD = st.text(alphabet="ab#é", min_size=1, max_size=3)
VALUE = st.recursive(
    st.one_of(
        WORD.map(lambda text: {"S": text}),
        st.integers(-9, 9).map(lambda number: {"N": str(number)}),
        st.binary(max_size=3).map(lambda raw: {"B": raw}),
        st.booleans().map(lambda flag: {"BOOL": flag}),
        st.just({"NULL": True}),
        st.sets(WORD, min_size=1, max_size=2).map(lambda texts: {"SS": sorted(texts)}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda values: {"L": values}),
        st.dictionaries(st.sampled_from(["S", "N", "value", "L"]), inner, max_size=2).map(lambda map_: {"M": map_}),
    ),
    max_leaves=4,
)
PARTITION = st.sampled_from(["a", "é#"])
ROWS = st.dictionaries(st.tuples(PARTITION, WORD), VALUE, max_size=16)


def motos_own(patch: pytest.MonkeyPatch) -> None:
    for owner, name in quick_aws.QUICK:
        patch.setattr(owner, name, quick_aws.OWN[owner, name])


def pages(client: Any, **conditions: Any) -> list[Any]:
    """All pages of a query, by two rows a page."""
    answers, start = [], {}
    while True:
        answer = client.query(TableName="table", Limit=2, **start, **conditions)
        del answer["ResponseMetadata"]
        answers.append(answer)
        if "LastEvaluatedKey" not in answer:
            return answers
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def answers_of(rows: dict[tuple[str, str], Any], asked: str, from_: str, forward: bool) -> list[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        client.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        for (pk, sk), value in rows.items():
            client.put_item(TableName="table", Item={"pk": {"S": pk}, "sk": {"S": sk}, "value": value})
        whole = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": asked}}}
        ranged = {
            "KeyConditionExpression": "pk = :pk AND sk >= :sk",
            "ExpressionAttributeValues": {":pk": {"S": asked}, ":sk": {"S": from_}},
        }
        read = [client.get_item(TableName="table", Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"] for pk, sk in rows]
        scanned = client.scan(TableName="table")["Items"]
        return [
            pages(client, ScanIndexForward=forward, **whole),
            pages(client, ScanIndexForward=forward, **ranged),
            read,
            sorted(scanned, key=lambda row: (row["pk"]["S"], row["sk"]["S"])),
        ]


@settings(max_examples=12)
@given(rows=ROWS, asked=PARTITION, from_=WORD, forward=st.booleans())
def test_dynamodb_answers_as_without(rows: Any, asked: str, from_: str, forward: bool) -> None:
    quick = answers_of(rows, asked, from_, forward)
    with pytest.MonkeyPatch.context() as patch:
        motos_own(patch)
        own = answers_of(rows, asked, from_, forward)
    assert quick == own
