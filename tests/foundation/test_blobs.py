import pytest
from botocore.exceptions import ClientError

from foundation import aws, blobs
from foundation.settings import settings

pytestmark = pytest.mark.usefixtures("cloud")


def test_bodies_in_and_out():
    blobs.put("a/b", b"\x00body", content_type="text/plain")
    assert blobs.get("a/b") == b"\x00body"
    assert aws.s3().head_object(Bucket=settings().BUCKET, Key="a/b")["ContentType"] == "text/plain"
    blobs.put("a/b", b"other")
    assert blobs.get("a/b") == b"other"


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 3, b"012"), (3, 2, b"34"), (7, None, b"789"), (10, None, b""), (4, 0, b""), (8, 100, b"89"), (0, 1, b"0")],
)
def test_a_range_of_a_body(offset, length, expected):
    blobs.put("k", b"0123456789")
    assert blobs.get("k", offset=offset, length=length) == expected


def test_put_new_writes_once():
    assert blobs.put_new("k", b"first")
    assert not blobs.put_new("k", b"second")
    assert blobs.get("k") == b"first"


def test_a_missing_object():
    assert blobs.find("gone") is None
    with pytest.raises(ClientError, match="NoSuchKey"):
        blobs.get("gone")
    blobs.put("empty", b"")
    assert blobs.find("empty") == b""


def test_another_failure_is_not_taken_for_a_missing_object(monkeypatch):
    monkeypatch.setenv("BUCKET", "no-such-bucket")
    settings.cache_clear()
    with pytest.raises(ClientError, match="NoSuchBucket"):
        blobs.find("k")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        blobs.put_new("k", b"")


def test_lines_come_without_their_ends_whatever_their_length():
    written = [b"a", b"b" * 5000, "é\u2028 is no end".encode(), b"{}"]
    blobs.put("k", b"\n".join(written[:2]) + b"\n\n" + b"\n".join(written[2:]))
    assert list(blobs.lines("k")) == written
    blobs.put("k", b"a\nb\n")
    assert list(blobs.lines("k")) == [b"a", b"b"]
    blobs.put("k", b"")
    assert list(blobs.lines("k")) == []


def test_keys_under_a_prefix_page_after_page():
    for number in range(5):
        blobs.put(f"runs/{number}", b"")
    blobs.put("run", b"")
    keys = blobs.keys("runs/")
    assert list(keys) == [f"runs/{number}" for number in range(5)]
    assert list(blobs.keys("none/")) == []


def test_lines_are_put_in_parts_and_read_back_one_by_one(monkeypatch):
    monkeypatch.setattr(blobs, "_PART_BYTES", 5 * 1024 * 1024)
    monkeypatch.setattr(blobs, "_READ_BYTES", 1000)
    lines = [b"%d %s\r\n" % (number, b"x" * 999) for number in range(12_000)]
    assert blobs.put_new_lines("many", lines)
    assert list(blobs.raw_lines("many") or ()) == lines
    assert not blobs.put_new_lines("many", [b"y" * 1024 * 1024] * 12), "written once"
    assert blobs.put_new_lines("few", iter([b"a\n", b"\n", b"b"]))
    assert list(blobs.raw_lines("few") or ()) == [b"a\n", b"\n", b"b"]
    assert not blobs.put_new_lines("few", [b"c"])
    assert not blobs.put_new_lines("none", [])
    assert [blobs.exists(key) for key in ("many", "few", "none")] == [True, True, False]
    assert blobs.raw_lines("none") is None


def test_lines_are_put_in_the_place_of_others():
    large = [bytes([letter]) * 1024 * 1024 + b"\n" for letter in b"abcdefg"]
    for lines in ([b"one\n"], large, [b"two\n"], []):
        blobs.put_lines("key", iter(lines))
        assert list(blobs.raw_lines("key")) == lines


@pytest.mark.parametrize("body", [b"a\n" + b"x" * 33, b"a\n" + b"x" * 32 + b"\nb\n"])
def test_a_line_that_is_too_long_is_told_by_its_number(body, monkeypatch):
    monkeypatch.setattr(blobs, "LONGEST_LINE", 32)
    monkeypatch.setattr(blobs, "_READ_BYTES", 8)
    blobs.put("key", body)
    with pytest.raises(blobs.LineTooLong, match="Line 2 has more than 32 bytes"):
        list(blobs.raw_lines("key"))
    blobs.put("key", b"x" * 31 + b"\n" + b"y" * 32)
    assert len(list(blobs.raw_lines("key"))) == 2
