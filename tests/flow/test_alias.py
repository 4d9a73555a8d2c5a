"""An alias through the whole loop: it teaches, its verdict points it at the student, and one call goes back."""

from __future__ import annotations

from aliases import changing
from aliases.changing import Said
from aliases.known import known_aliases
from tests.aliases.build import routing
from tests.flow import loop
from tests.flow.system import System


def test_a_verdict_moves_an_alias_and_one_call_moves_it_back(system: System) -> None:
    loop.capture(system, "alias")
    changing.put("quick", routing((loop.TEACHER, 1), promote_on="beats_baseline"), Said("ada"))
    made = loop.completed(system, loop.distill(system, "alias", teacher="quick")["id"])
    assert (made["teacher"], made["alias"], made["verdict"]["outcome"]) == (loop.TEACHER, "quick", "beats_baseline")
    alias = system.ok("GET", "/v1/aliases/quick")
    assert [target["model"] for target in alias["targets"]] == [made["model"]]
    assert (alias["version"], alias["by"], alias["verdict_id"]) == (2, "verdict", made["verdict"]["id"])
    assert alias["fallback"] == loop.TEACHER
    [told] = [notice for notice in system.notifications() if notice["type"] == "alias.promoted"]
    assert f"The alias quick points at {made['model']} now" in told["sentence"]
    known_aliases.forget()
    asked = {"model": "quick", "messages": loop.messages(3), "store": True}
    answered = system.ok("POST", "/v1/chat/completions", asked)
    system.settle()
    stored = system.ok("GET", f"/v1/chat/completions/{answered['id']}")
    assert stored["alias"] == {"name": "quick", "version": 2, "target": made["model"]}
    # From the answer up to the completions that the student learnt from, and from one of those down to the alias.
    above = {node["kind"] for node in system.ok("GET", "/v1/lineage/quick")["nodes"] if node["side"] == "up"}
    assert above >= {"model", "job", "dataset", "run", "verdict", "distillation"}
    [learnt, *_] = system.ok("GET", f"/v1/lineage/{made['model']}")["completions"]["data"]
    below = system.ok("GET", f"/v1/lineage/{learnt}")["nodes"]
    assert {"id": "quick", "kind": "alias", "side": "down"} in below
    back = system.ok("POST", "/v1/aliases/quick/rollback", {"why": "a look first"})
    assert [target["model"] for target in back["targets"]] == [loop.TEACHER]
    system.settle()
    assert system.ok("GET", "/v1/aliases/quick")["version"] == 3
