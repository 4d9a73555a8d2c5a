"""The whole loop in process: from pushed completions to a verdict, a notification and the lineage."""

from __future__ import annotations

from tests.flow import loop
from tests.flow.system import System


def test_from_completions_to_a_verdict_people_are_told(system: System) -> None:
    loop.capture(system, "whole")
    started = loop.distill(system, "whole", contenders=["lab-judge"])
    assert started["status"] == "queued"
    ended = loop.completed(system, started["id"])
    assert [step["status"] for step in ended["history"]][-1] == "completed"
    verdict = ended["verdict"]
    assert verdict["rows"] == 12
    [cascade] = verdict["cascade"]["sources"]
    assert (cascade["rows"], cascade["known"]) == (12, 12)
    assert "takes 221 rows" in cascade["why_none"]
    assert verdict["scores"]["teacher"]["passed"] == 12
    assert ended["model"].startswith("ft:lab-small:lab:")
    [contender] = verdict["contenders"]
    assert contender["error"] == "None of its rows could be graded.", "a judge answers no mail, and holds nothing up"
    notices = system.notifications()
    assert [notice["id"] for notice in notices if notice["type"] == "verdict"] == [verdict["id"]]
    assert not any(system.dead(name) for name in system.queues)
    graph = system.ok("GET", "/v1/lineage/chatcmpl-whole-3")
    assert {node["kind"] for node in graph["nodes"]} >= {"completion", "dataset", "job", "model", "run", "verdict"}
    made = system.ok("GET", f"/v1/lineage/{ended['model']}")
    assert "chatcmpl-whole-3" in made["completions"]["data"]
