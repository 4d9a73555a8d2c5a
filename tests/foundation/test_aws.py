"""Links to S3 as AWS takes them: the emulator takes any."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from foundation import aws
from tests.examples import of_the_soak

REGIONS = sorted(
    region
    for partition in ("aws", "aws-cn", "aws-us-gov")
    for region in boto3.Session().get_available_regions("s3", partition)
)


@pytest.fixture
def in_region(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    session = boto3.Session("testing", "testing", region_name=request.param)
    monkeypatch.setattr(aws, "_session", lambda: session)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.s3.cache_clear()
    yield str(request.param)
    aws.s3.cache_clear()


SOME = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")
OTHERS = of_the_soak(*(region for region in REGIONS if region not in SOME))


@pytest.mark.parametrize("in_region", [*SOME, *OTHERS], indirect=True)
def test_a_link_is_of_the_region_and_signs_the_length_and_no_content_type(in_region: str) -> None:
    announced = {"Bucket": "bucket", "Key": "files/file-1", "ContentLength": 10}
    link = urlsplit(aws.s3().generate_presigned_url("put_object", Params=announced, ExpiresIn=900))
    query = parse_qs(link.query)
    china = ".cn" if in_region.startswith("cn-") else ""
    assert link.netloc == f"bucket.s3.{in_region}.amazonaws.com{china}"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Credential"][0].split("/")[2:4] == [in_region, "s3"]
    # A PUT of another length is refused; an importer may say what content type it likes.
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
