"""Every reader ends: a walk by cursors comes to its last page, and no question of a caller is a failure of the server.
What is wrong with a cursor, an id, a header or a body is answered by a 4xx that names it; what is lost is left out.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from completions import postings
from foundation import table
from tests.distilling import build
from tests.flow.system import System
from tests.hostile import acts

pytestmark = pytest.mark.usefixtures("walls")
MINUTE = 60
AT = 1_790_000_040
MEGABYTES = 3_000_000


def twice(system: System, name: str, size: int = 10) -> None:
    """Two pushes on their way at once that bring other bytes under one id, in different minutes; and one behind."""
    for number in range(2):
        body = acts.record(name, answer=f"{number}" * size, response={"created": AT + number * MINUTE})
        system.ok("POST", "/v1/captures", [body])
    acts.stored(system, acts.record(f"{name}-behind", answer="2" * size, response={"created": AT + 2 * MINUTE}))


def exported(system: System, query: str = "") -> list[str]:
    """The lines of all pages of an export."""
    lines: list[str] = []
    after = ""
    for _ in range(12):
        status, text = system.call("GET", f"/v1/exports/completions?{query}{after}")
        assert status == 200, text
        lines += (text or "").splitlines()
        following = {name.lower(): value for name, value in system.headers.items()}.get("x-stillhouse-after")
        if not following:
            return lines
        after = f"&after={following}"
    raise AssertionError("the export goes in a circle")


def test_an_export_ends_where_one_id_stands_in_two_minutes(system: System) -> None:
    twice(system, "chatcmpl-twice", MEGABYTES)
    lines = exported(system)
    assert len(lines) == len(set(lines)) == 3


def test_a_list_page_by_page_ends_where_one_id_stands_in_two_minutes(system: System) -> None:
    twice(system, "chatcmpl-twice")
    seen: list[str] = []
    after = ""
    for _ in range(6):
        page = system.ok("GET", f"/v1/chat/completions?limit=1{after}")
        seen += [completion["choices"][0]["message"]["content"] for completion in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert seen == ["0" * 10, "1" * 10, "2" * 10]


def test_a_list_that_looked_far_enough_goes_on_behind_what_it_looked_at(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that may look at two references ends at the second one, whose id the first one has too."""
    twice(system, "chatcmpl-twice")
    scan = acts.scan_of(1)
    monkeypatch.setattr("api.completions.Scan", scan)
    after = ""
    for _ in range(8):
        page = system.ok("GET", f"/v1/chat/completions?model=gpt-4o&text=nowhere{after}")
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"
    raise AssertionError("the list goes in a circle")


def test_counts_of_any_size_are_answered(system: System) -> None:
    for number in range(3):
        acts.push(system, acts.record(f"chatcmpl-{number}", response={"usage": {"prompt_tokens": (1 << 63) - 1}}))
    status, answer = system.call("GET", "/v1/usage")
    assert status == 200, answer


def test_a_deletion_mends_a_usage_that_was_too_large(system: System) -> None:
    status, answer = acts.push(system, acts.record("chatcmpl-large", response={"usage": {"prompt_tokens": 1 << 63}}))
    if status == 400:
        assert "usage" in answer["error"]["param"]
        return
    acts.push(system, acts.record("chatcmpl-too", response={"usage": {"prompt_tokens": 1 << 63}}))
    assert system.call("GET", "/v1/usage")[0] == 200


LISTS = [
    "/v1/chat/completions",
    "/v1/chat/completions/{completion}/messages",
    "/v1/exports/completions",
    "/v1/filters",
    "/v1/retention_policies",
    "/v1/evals",
    "/v1/evals?order_by=updated_at",
    "/v1/evals/{eval}/runs",
    "/v1/evals/{eval}/calibrations",
    "/v1/evals/{eval}/runs/{run}/output_items",
    "/v1/files",
    "/v1/webhook_endpoints",
    "/v1/distillations",
    "/v1/datasets",
    "/v1/keys",
]


@pytest.fixture
def filled(shared: System) -> dict[str, str]:
    """Ids of what the paths name."""
    acts.push(shared, acts.record("chatcmpl-1"))
    if not shared.ok("GET", "/v1/evals")["data"]:
        acts.graded(shared, acts.new_eval(shared), acts.inline())
    eval_id = shared.ok("GET", "/v1/evals")["data"][0]["id"]
    run_id = shared.ok("GET", f"/v1/evals/{eval_id}/runs")["data"][0]["id"]
    return {"completion": "chatcmpl-1", "eval": eval_id, "run": run_id}


CURSORS = ("", "x" * 1_100, "x" * 2_100, "é" * 600, "%00", "a%23b")


@pytest.mark.parametrize("path", LISTS)
def test_an_odd_cursor_is_no_failure_of_the_server(path: str, shared: System, filled: dict[str, str]) -> None:
    url = path.format(**filled)
    urls = [f"{url}{'&' if '?' in url else '?'}after={after}" for after in CURSORS]
    assert [url[:200] for url in urls if shared.call("GET", url)[0] >= 500] == []


CONDITIONS = (
    "created_after=" + "9" * 1_500,
    "created_before=" + "9" * 1_500,
    "created_after=99999999999999999999",
    "created_before=-99999999999",
    "min_tokens=" + "9" * 400,
    "model=",
    "model=%00",
    "metadata[k]=",
    "filter=",
)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/exports/completions", "/v1/usage"])
def test_an_odd_condition_is_no_failure_of_the_server(path: str, shared: System) -> None:
    acts.push(shared, acts.record("chatcmpl-1"))
    assert [condition[:40] for condition in CONDITIONS if shared.call("GET", f"{path}?{condition}")[0] >= 500] == []


@pytest.mark.parametrize("size", [1_030, 2_040, 2_100], ids=["beyond-a-sort-key", "nearly-a-key", "beyond-a-key"])
@pytest.mark.parametrize(
    "header", ["Bearer sk-sh-{}-secret", "Bearer sk-sh-key_{}-", "Bearer {}"], ids=["id", "no-secret", "token"]
)
def test_a_key_of_any_length_is_simply_not_valid(header: str, size: int, shared: System) -> None:
    """Asked without any valid key: everybody can do this."""
    for method, path in (("GET", "/v1/evals"), ("POST", "/v1/captures"), ("POST", "/v1/chat/completions")):
        answered = shared.call(method, path, {}, key=None, headers={"authorization": header.format("k" * size)})
        assert answered[0] == 401, answered


@pytest.mark.parametrize(
    "count", ["²", "①", "9" * 5_000, "-1", ""], ids=["square", "circled", "long", "minus", "empty"]
)
def test_an_odd_retry_count_is_refused_or_no_retry(count: str, shared: System) -> None:
    status, answer = shared.call(
        "POST",
        "/v1/filters",
        {"name": "f", "filter": {"model": "gpt-4o"}},
        headers={"x-stainless-retry-count": count},
    )
    assert status < 500, answer


@pytest.mark.parametrize("key", ["k" * 100_000, "é\x00"], ids=["long", "odd"])
def test_an_odd_idempotency_key_is_no_failure_of_the_server(key: str, shared: System) -> None:
    body = {"name": "f", "filter": {"model": "gpt-4o"}}
    status, answer = shared.call("POST", "/v1/filters", body, headers={"idempotency-key": key})
    assert status < 500, answer


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [240, 250, 260, 900])
@pytest.mark.parametrize("kind", ["run", "calibration", "eval", "distillation"])
def test_deep_json_in_a_body_is_refused_by_name_or_taken(kind: str, levels: int, shared: System) -> None:
    deep = nested(levels)
    acts.push(shared, *(build.record(n, f"q{n}", split="train") for n in range(12)))
    eval_id = acts.new_eval(shared)
    row = {"item": {"reference": "yes", "deep": deep}, "sample": {"output_text": "yes"}}
    criterion = {**acts.CHECK, "deep": deep}
    config = {"type": "custom", "item_schema": {"type": "object", "deep": deep}, "include_sample_schema": True}
    path, body = {
        "run": (f"/v1/evals/{eval_id}/runs", {"data_source": acts.inline(row)}),
        "calibration": (
            f"/v1/evals/{eval_id}/calibrations",
            {"criterion": "correct", "source": {"type": "file_content", "content": [{**row, "human": True}]}},
        ),
        "eval": ("/v1/evals", {"data_source_config": config, "testing_criteria": [criterion]}),
        "distillation": (
            "/v1/distillations",
            {
                "name": "deep",
                "eval_id": eval_id,
                "test": build.source("train", limit=1),
                "train": build.source("train"),
                "teacher": build.TEACHER,
                "student": "lab-small",
                "hyperparameters": {"deep": deep},
            },
        ),
    }[kind]
    status, answer = shared.call("POST", path, body)
    assert status < 500, answer
    acts.deliver_all(shared)
    assert not [name for name in ("PLAN", "GRADE") if shared.dead(name)]


def test_a_tag_without_its_row_of_the_list_of_all_is_left_out(system: System) -> None:
    acts.stored(system, acts.record("chatcmpl-lost", metadata={"team": "a"}))
    for shard in range(postings.SHARDS):
        for row in list(table.query(postings.key_of(postings.ALL, shard))):
            table.delete(row["pk"], row["sk"])
    acts.stored(system, acts.record("chatcmpl-kept", metadata={"team": "a"}))
    for path in ("/v1/chat/completions", "/v1/usage", "/v1/exports/completions"):
        status, answer = system.call("GET", f"{path}?metadata[team]=a")
        assert status == 200, answer
    assert [completion["id"] for completion in system.ok("GET", "/v1/chat/completions?metadata[team]=a")["data"]] == [
        "chatcmpl-kept"
    ]


@pytest.mark.parametrize("path", ["/v1/evals", "/v1/files", "/v1/keys", "/v1/filters", "/v1/evals?order_by=updated_at"])
def test_a_place_in_a_list_without_its_object_ends_no_list(path: str, system: System) -> None:
    """The row of the object is written first and deleted last, but a restore or a hand may lose it."""
    made = [acts.new_eval(system) for _ in range(3)]
    files = [acts.upload(system, [acts.ROW])[1]["id"] for _ in range(3)]
    filters = [system.ok("POST", "/v1/filters", {"name": f"{n}", "filter": {"model": "m"}})["id"] for n in range(3)]
    for kind, ids in (("EVAL", made), ("FILE", files), ("FILTER", filters)):
        table.delete(kind, ids[1])
    status, answer = system.call("GET", f"{path}{'&' if '?' in path else '?'}limit=1")
    pages = 0
    seen: list[str] = []
    while status == 200 and pages < 8:
        seen += [completion["id"] for completion in answer["data"]]
        if not answer["has_more"]:
            break
        assert answer["last_id"], "a page that promises more says where it goes on"
        pages += 1
        url = f"{path}{'&' if '?' in path else '?'}limit=1&after={answer['last_id']}"
        status, answer = system.call("GET", url)
    assert status == 200, answer
    assert len(seen) == len(set(seen)) == (1 if "keys" in path else 2)


def test_a_completion_whose_object_is_lost_is_left_out_of_lists(system: System) -> None:
    acts.stored(system, acts.record("chatcmpl-lost"))
    s3 = boto3.client("s3")
    for entry in s3.list_objects_v2(Bucket="bucket", Prefix="completions/")["Contents"]:
        s3.delete_object(Bucket="bucket", Key=entry["Key"])
    acts.stored(system, acts.record("chatcmpl-kept"))
    status, answer = system.call("GET", "/v1/chat/completions")
    assert (status, [completion["id"] for completion in answer["data"]]) == (200, ["chatcmpl-kept"])
    assert system.call("GET", acts.path_of("chatcmpl-lost"))[0] in {404, 410}
