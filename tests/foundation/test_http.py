import base64
import json
import logging
from typing import Literal
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from evals.data_sources import DataSource
from foundation import blobs, http
from foundation.consumer import logger
from foundation.edge import SMALLER
from foundation.errors import Conflict, RetryLater
from foundation.routes import PAGE, Query, Routes
from foundation.settings import settings

pytestmark = pytest.mark.usefixtures("cloud")

KEY = "Bearer sk-sh-first-0123456789abcdef"
SECRET = "the user's own words"


class Inner(BaseModel):
    size: int = Field(ge=1)
    kind: Literal["a", "b"] = "a"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    rows: list[Inner] = Field(default_factory=list)
    source: DataSource | None = None


AWS = {
    "throttled": ("ProvisionedThroughputExceededException", 400),
    "slow": ("SlowDown", 503),
    "away": ("InternalServerError", 500),
    "denied": ("AccessDeniedException", 400),
}
router = Routes("Tests")


@router.post("/v1/body", scope="read", body=Body)
def take_body():
    return http.body_of(router, Body).model_dump(exclude_none=True)


@router.post("/v1/raw", scope="read", body=bytes)
def take_raw():
    return {"bytes": list(http.raw_body(router)[:9]), "size": len(http.raw_body(router))}


@router.get("/v1/list", scope="read", query=(*PAGE, Query("q", "Anything.")))
def take_query():
    return {"limit": http.limit_of(router), "newest": http.descending(router), "q": http.query_of(router, "q")}


@router.get("/v1/fails/<how>", scope="read")
def fail(how):
    if how == "conflict":
        raise Conflict("It is running.", param="status")
    if how == "busy":
        raise RetryLater("the table throttles")
    if how in AWS:
        code, status = AWS[how]
        details = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(details, "Query")
    if how == "environment":
        settings()
    if how == "stored":
        Inner.model_validate({"size": SECRET})
    raise RuntimeError(f"about {SECRET}")


@router.get("/v1/who", scope="admin")
def who():
    return {"id": router.context["key"].id}


@pytest.fixture
def call(context):
    app = http.resolver([router])

    def call(method, path, body="", *, encoded=False, query=None, headers=None):
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"authorization": KEY} if headers is None else headers,
            "queryStringParameters": query,
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r"},
            "body": body or None,
            "isBase64Encoded": encoded,
        }
        answer = http.serve(app, event, context)
        assert answer["headers"]["x-request-id"] == "test-request"
        assert answer["headers"]["Content-Type"] == "application/json"
        call.headers = answer["headers"]
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    return call


def error_of(answer):
    status, body = answer
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return status, body["error"]


def test_a_sound_body(call):
    assert call("POST", "/v1/body", '{"name": "x", "rows": [{"size": 2}]}') == (
        200,
        {"name": "x", "rows": [{"size": 2, "kind": "a"}]},
    )


CONTENT = {"type": "file_content", "content": [{"item": {}}, {"item": 3}]}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "name", "missing_required_parameter"),
        ({"name": 3}, "name", "invalid_value"),
        ({"name": "x", "rows": [{"size": 1}, {"size": 0}]}, "rows[1].size", "invalid_value"),
        ({"name": "x", "rows": [{"size": 1}, {}]}, "rows[1].size", "missing_required_parameter"),
        ({"name": "x", "rows": [{"size": 1, "kind": "c"}]}, "rows[0].kind", "invalid_value"),
        ({"name": "x", "rows": {}}, "rows", "invalid_value"),
        ({"name": "x", "more": 1}, "more", "unknown_parameter"),
        ({"name": "x", "source": {"type": "none"}}, "source", "invalid_value"),
        ({"name": "x", "source": {"type": "jsonl"}}, "source.source", "missing_required_parameter"),
        (
            {"name": "x", "source": {"type": "jsonl", "source": {"type": "file_id"}}},
            "source.source.id",
            "missing_required_parameter",
        ),
        (
            {"name": "x", "source": {"type": "jsonl", "source": CONTENT}},
            "source.source.content[1].item",
            "invalid_value",
        ),
    ],
)
def test_an_invalid_body_names_the_caller_s_field(call, body, param, code):
    status, error = error_of(call("POST", "/v1/body", json.dumps(body)))
    assert (status, error["param"], error["code"]) == (400, param, code)
    assert f"'{param}'" in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "code"),
    [("{", "invalid_json"), ("nothing", "invalid_json"), ("[1]", "invalid_type"), ('"x"', "invalid_type")],
)
def test_a_body_that_is_no_json_object(call, body, code):
    status, error = error_of(call("POST", "/v1/body", body))
    assert (status, error["code"]) == (400, code)


def test_bytes_that_are_no_text(call):
    body = base64.b64encode(b'{"name": "\xff"}').decode()
    assert error_of(call("POST", "/v1/body", body, encoded=True))[1]["code"] == "invalid_json"


def test_no_body_is_an_empty_object(call):
    assert error_of(call("POST", "/v1/body"))[1]["param"] == "name"
    assert call("POST", "/v1/raw") == (200, {"bytes": [], "size": 0})


def test_a_base64_body_is_decoded(call):
    encoded = base64.b64encode('{"name": "é"}'.encode()).decode()
    assert call("POST", "/v1/body", encoded, encoded=True) == (200, {"name": "é", "rows": []})
    assert call("POST", "/v1/raw", base64.b64encode(b"\x00\xff").decode(), encoded=True)[1]["bytes"] == [0, 255]


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_over_four_megabytes_is_refused_with_the_remedy(call, encoded):
    def wire(size):
        return base64.b64encode(b"x" * size).decode() if encoded else "x" * size

    assert call("POST", "/v1/raw", wire(4 << 20), encoded=encoded)[1]["size"] == 4 << 20
    status, error = error_of(call("POST", "/v1/raw", wire((4 << 20) + 1), encoded=encoded))
    assert (status, error["code"]) == (413, "request_too_large")
    assert f"This route takes no compressed body. {SMALLER}" in error["message"]


def test_a_compressed_body_is_refused_by_its_header(call):
    status, error = error_of(call("POST", "/v1/body", "{}", headers={"authorization": KEY, "Content-Encoding": "gzip"}))
    assert (status, error["code"], error["param"]) == (400, "unsupported_encoding", "Content-Encoding")
    headers = {"Api-Key": KEY.removeprefix("Bearer "), "content-encoding": "identity"}
    assert call("POST", "/v1/raw", "{}", headers=headers)[0] == 200


def test_the_limit_counts_bytes(call):
    assert call("POST", "/v1/raw", "é" * (2 << 20))[0] == 200
    assert call("POST", "/v1/raw", "é" * ((2 << 20) + 1))[0] == 413


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/body"), ("GET", "/")])
def test_an_unknown_route(call, method, path):
    status, error = error_of(call(method, path))
    assert (status, error["type"], error["code"]) == (404, "invalid_request_error", "unknown_url")


def test_a_refusal_keeps_its_status_and_headers(call):
    status, error = error_of(call("GET", "/v1/fails/conflict"))
    assert (status, error["code"], error["param"]) == (409, "conflict", "status")
    assert call.headers["x-should-retry"] == "false"


def test_a_busy_service_may_be_asked_again(call):
    for how in ("busy", "throttled", "slow", "away"):
        status, error = error_of(call("GET", f"/v1/fails/{how}"))
        assert (status, error["type"], error["code"], error["param"]) == (503, "server_error", "server_error", None)
        assert "throttles" not in error["message"]
        assert SECRET not in error["message"]
        assert int(call.headers["retry-after"]) > 0
        assert "x-should-retry" not in call.headers


@pytest.mark.parametrize("how", ["bug", "stored", "environment", "denied"])
def test_an_unplanned_error_tells_the_caller_nothing_and_the_log_what_happened(call, how, monkeypatch):
    logged = []
    handler = logging.Handler()
    handler.emit = logged.append
    logger().addHandler(handler)
    call("GET", "/v1/who")
    if how == "environment":
        monkeypatch.delenv("TABLE")
        settings.cache_clear()
    status, error = error_of(call("GET", f"/v1/fails/{how}"))
    logger()._logger.removeHandler(handler)
    assert (status, error["type"], error["code"], error["param"]) == (500, "server_error", "server_error", None)
    assert not {"TABLE", SECRET, "size"} & set(error["message"].replace("'", " ").split())
    assert SECRET not in error["message"]
    (record,) = logged
    assert record.exc_info


def test_every_route_asks_for_a_key(call):
    for method, path in (("GET", "/v1/list"), ("POST", "/v1/body"), ("GET", "/v1/fails/bug")):
        status, error = error_of(call(method, path, headers={}))
        assert (status, error["code"]) == (401, "invalid_api_key")
    assert call("GET", "/v1/who") == (200, {"id": "first"})


@pytest.mark.parametrize(("text", "limit"), [(None, 20), ("5", 5), ("0", 1), ("-3", 1), ("100", 100), ("1000", 100)])
def test_a_limit_is_kept_in_bounds(call, text, limit):
    assert call("GET", "/v1/list", query={"limit": text} if text else None)[1]["limit"] == limit


@pytest.mark.parametrize("query", [{"limit": "many"}, {"limit": ""}, {"order": "up"}])
def test_a_query_that_makes_no_sense(call, query):
    status, error = error_of(call("GET", "/v1/list", query=query))
    assert (status, [error["param"]]) == (400, list(query))


def test_order_and_other_parameters(call):
    assert call("GET", "/v1/list")[1] == {"limit": 20, "newest": False, "q": None}
    assert call("GET", "/v1/list", query={"order": "desc", "q": "x"})[1] == {"limit": 20, "newest": True, "q": "x"}


def test_a_list_in_cursor_style():
    assert http.listed([{"id": "a"}, {"id": "b"}, {"id": "c"}], 2) == {
        "object": "list",
        "data": [{"id": "a"}, {"id": "b"}],
        "first_id": "a",
        "last_id": "b",
        "has_more": True,
    }
    empty = http.listed([], 2)
    assert empty == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize(("letter", "bytes_each"), [("x", 1), ('"', 4), ("\\", 4), ("\n", 3), ("é", 2), ("\x01", 7)])
def test_items_are_weighed_as_lambda_serializes_them(letter, bytes_each, monkeypatch):
    """A letter is escaped in the item's JSON, and what escapes it once more around the body."""
    items = [letter * 1000] * 5
    around = len(json.dumps(json.dumps("")))
    for room, fit in ((3 * (1000 * bytes_each + around), 3), (3 * (1000 * bytes_each + around) - 1, 2)):
        monkeypatch.setattr(http, "MOST_OF_ITEMS", room)
        assert http.cut(items, 100) == (items[:fit], True)


def test_a_page_takes_no_more_items_than_it_must_look_at(monkeypatch):
    monkeypatch.setattr(http, "MOST_OF_ITEMS", 2_500)
    seen = []
    items = (seen.append(number) or "x" * 1_000 for number in range(100))
    assert len(http.cut(items, 50)[0]) == 2
    assert seen == [0, 1, 2]


def test_the_first_item_is_in_the_page_whatever_its_size(monkeypatch):
    monkeypatch.setattr(http, "MOST_OF_ITEMS", 10)
    assert http.cut(["x" * 100, "y"], 50) == (["x" * 100], True)
    assert http.cut(["x" * 100], 50) == (["x" * 100], False)


def test_an_answer_that_is_too_large_comes_by_a_link(call, monkeypatch):
    monkeypatch.setattr("foundation.edge.MAX_ANSWER", 1_000)
    status, body = call("POST", "/v1/body", json.dumps({"name": '"' * 300}))
    assert (status, body) == (303, None)
    key = urlsplit(call.headers["location"]).path.rpartition("answers/")[2]
    assert json.loads(blobs.get(f"answers/{key}")) == {"name": '"' * 300, "rows": []}
    call("POST", "/v1/body", json.dumps({"name": '"' * 300}))
    assert len(list(blobs.keys("answers/"))) == 1


def test_a_refusal_never_comes_by_a_link(call, monkeypatch):
    monkeypatch.setattr("foundation.edge.MAX_ANSWER", 10)
    assert call("GET", "/v1/fails/conflict")[0] == 409
