"""The report through the API: as JSON, as Markdown, of a dry run, and without what was deleted."""

from __future__ import annotations

from typing import Any

import pytest

from foundation import blobs
from tests.distilling import build
from tests.flow.system import System


@pytest.fixture
def made(system: System) -> tuple[System, str]:
    """A dry run of forty mails, with a test row that one of them asks, and traffic of another kind beside them."""
    records = [build.record(100 + n, f"mail {n}", ["yes", "no"][n % 2], split="train") for n in range(40)]
    records += [build.record(1, "mail 7"), *(build.record(300 + n, f"chat {n}", split="other") for n in range(30))]
    build.captured(system, records)
    asked = {
        "source": build.source("train", model=build.TEACHER),
        "held_out": build.source("test"),
        "production": {"type": "stored_completions"},
        "dry_run": True,
    }
    name = system.ok("POST", "/v1/datasets", asked)["id"]
    while system.deliver("ASSEMBLY"):
        pass
    return system, str(name)


def test_the_report_tells_what_the_card_tells_and_how_far_it_is_from_traffic(made: tuple[System, str]) -> None:
    system, name = made
    report = system.ok("GET", f"/v1/datasets/{name}/report")
    dataset = system.ok("GET", f"/v1/datasets/{name}")
    card = dataset["card"]
    assert (report["id"], report["selected"], report["rows"]) == (name, card["selected"], card["rows"])
    assert {step["rule"]: step["dropped"] for step in report["steps"]}.items() <= card["dropped"].items()
    assert report["production"]["rows"] == 71
    assert {"metadata.split", "answer"} <= {one["field"] for one in report["skew"] if one["differs"]}
    assert card["warnings"] == report["warnings"][:8]
    assert card["warnings"][0].startswith("1 of 40 completions")
    assert [terms["trains_others"] for terms in report["terms"]] == ["unknown"]
    assert dataset["teacher_terms"] == report["terms"]


def test_examples_show_what_completions_say_until_they_are_deleted(made: tuple[System, str]) -> None:
    system, name = made

    def example() -> dict[str, Any]:
        steps = system.ok("GET", f"/v1/datasets/{name}/report")["steps"]
        [shown] = next(step for step in steps if step["rule"] == "test_leaks")["examples"]
        return dict(shown)

    assert (example()["id"], example()["question"], example()["answer"]) == ("chatcmpl-107", "mail 7", "no")
    assert b"mail 7" not in blobs.get(f"datasets/{name}/report.json")
    system.ok("DELETE", "/v1/chat/completions/chatcmpl-107")
    assert (example()["id"], example()["question"], example()["answer"]) == ("chatcmpl-107", None, None)


def test_it_is_markdown_where_that_is_asked_for(made: tuple[System, str]) -> None:
    system, name = made
    status, written = system.call("GET", f"/v1/datasets/{name}/report?format=markdown")
    assert (status, system.headers["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    assert written.startswith("# Training set")
    accepted = system.call("GET", f"/v1/datasets/{name}/report", headers={"accept": "text/markdown"})
    assert accepted == (200, written)
    status, refusal = system.call("GET", f"/v1/datasets/{name}/report?format=pdf")
    assert (status, refusal["error"]["param"]) == (400, "format")


def test_one_without_a_report_says_why(made: tuple[System, str]) -> None:
    system, name = made
    blobs.delete([f"datasets/{name}/report.json"])
    status, refusal = system.call("GET", f"/v1/datasets/{name}/report")
    assert (status, refusal["error"]["code"]) == (404, "no_report")
    assert system.call("GET", "/v1/datasets/dataset_none/report")[0] == 404


def test_a_deleted_dataset_leaves_no_report(made: tuple[System, str]) -> None:
    system, name = made
    system.ok("DELETE", f"/v1/datasets/{name}")
    assert not list(blobs.keys(f"datasets/{name}/"))


def test_of_a_set_that_masks_no_captured_text_is_shown(system: System) -> None:
    records = [build.record(n, f"mail {n} of ada@lane.example", split="train") for n in range(12)]
    build.captured(system, records)
    asked = {"source": build.source("train"), "recipe": {"steps": [{"rule": "personal_data"}]}}
    name = system.ok("POST", "/v1/datasets", asked)["id"]
    system.settle()
    report = system.ok("GET", f"/v1/datasets/{name}/report")
    assert any(step["examples"] for step in report["steps"])
    assert "lane.example" not in str(report)
    assert "lane.example" not in str(system.call("GET", f"/v1/datasets/{name}/report?format=markdown"))
