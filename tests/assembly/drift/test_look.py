"""A look at an alias's traffic: told once, with the next distillation filled in; nothing where nothing has moved."""

from __future__ import annotations

from typing import Any

import pytest

from aliases import changing
from aliases.changing import Said
from api.new_distillation import NewDistillation
from assembly.drift import traffic as traffic_of_alias
from foundation.ids import now
from providers.model_version import ModelVersion
from tests.aliases.build import routing
from tests.assembly.drifting import ALIAS, DAY, learnt, looked, mails, told, traffic
from tests.distilling import build
from tests.flow.system import CLOCK, FakeContext, System


def drifted(found: dict[str, Any]) -> list[str]:
    return [field["comparison"]["field"] for field in found["fields"] if field["since"] is not None]


def test_traffic_as_it_was_does_not_drift_and_says_how_it_knows(system: System) -> None:
    dataset_id = learnt(system)
    waiting = system.ok("GET", f"/v1/aliases/{ALIAS}/drift")
    assert (waiting["status"], waiting["model"]) == ("waiting", build.MODEL)
    traffic(system, mails(96, seed=2, first=1000))
    CLOCK({"due": "daily"}, FakeContext())
    assert told(system) == []
    found = system.ok("GET", f"/v1/aliases/{ALIAS}/drift")
    assert (found["status"], found["dataset_id"], found["model"]) == ("steady", dataset_id, build.MODEL)
    assert (found["looks"], found["alpha"], found["since"], found["next"]) == (1, 0.01, None, None)
    assert found["rows"] == found["conversations"] == 84, "a week of eight days"
    fields = {field["comparison"]["field"]: field for field in found["fields"]}
    assert {"metadata.topic", "metadata.country", "question_characters", "topic", "answer"} <= fields.keys()
    assert not {"hour", "weekday", "model", "prompt_tokens"} & fields.keys()
    country = fields["metadata.country"]
    assert sum(share["share"] for share in country["shares"]) == pytest.approx(1)
    assert country["comparison"]["psi"] < country["comparison"]["psi_noise_95"]
    assert [look["status"] for look in found["history"]] == ["steady"]


def test_a_new_kind_of_mail_is_told_once_with_what_to_do(system: System) -> None:
    learnt(system)
    traffic(system, mails(96, seed=2, first=1000, topics=["refund", "login", "recall"]))
    at = now()
    found = looked(system, at=at)
    assert found["status"] == "drifted"
    assert {"metadata.topic", "topic", "answer"} <= set(drifted(found))
    assert "metadata.country" not in drifted(found)
    [topic] = [one for one in found["newcomers"] if one["field"] == "metadata.topic"]
    assert (topic["value"], topic["other_share"]) == ("recall", 0)
    examples = [system.ok("GET", f"/v1/chat/completions/{name}")["metadata"]["topic"] for name in topic["examples"]]
    assert examples == ["recall"] * 5
    assert any("'recall' is" in concern for concern in found["concerns"])
    [notice] = told(system)
    assert notice["object_id"] == ALIAS
    assert "has moved away from what" in notice["sentence"]
    assert notice["lines"][-1].endswith(f"stillhouse alias drift {ALIAS}")
    assert looked(system, at=at) == found, "delivered twice"
    assert looked(system, at=at + 3600) == found, "a clock that strikes twice"
    later = looked(system, at=at + DAY)
    assert (later["looks"], later["since"], later["told_at"]) == (2, found["since"], found["told_at"])
    assert told(system) == [], "not every day"


def test_the_next_distillation_is_one_that_can_be_started(system: System) -> None:
    learnt(system)
    traffic(system, mails(96, seed=2, first=1000, topics=["recall"]))
    again = looked(system)["next"]
    assert (again["lacks"], again["teacher_answers"]) == (None, 84)
    asked = NewDistillation.model_validate(again["body"])
    assert (asked.eval_id, asked.teacher, asked.student, asked.alias) == (
        "eval_1",
        build.TEACHER,
        "lab-small",
        ALIAS,
    )
    assert asked.train.model_dump()["created_before"] < asked.test.model_dump()["created_after"]
    assert "repeat=distill_1&alias=quick" in again["url"]
    made = system.ok("POST", "/v1/distillations", again["body"])
    assert made["name"] == "triage on recent traffic"


def test_without_answers_of_the_teacher_it_says_what_to_do(system: System) -> None:
    learnt(system)
    records = mails(96, seed=2, first=1000, topics=["recall"])
    for record in records:
        record["request"]["model"] = record["response"]["model"] = build.MODEL
    traffic(system, records)
    found = looked(system)
    assert "answer" not in {field["comparison"]["field"] for field in found["fields"]}, "a student's differ anyway"
    assert "let it answer a share of quick" in found["next"]["lacks"]
    [notice] = told(system)
    assert any("let it answer a share" in line for line in notice["lines"])


def test_too_little_traffic_is_no_verdict(system: System) -> None:
    learnt(system)
    assert "no completion was captured" in looked(system)["sentence"]
    at = now()
    traffic(system, mails(40, seed=2, first=1000, topics=["recall"]), at=at, days=5)
    young = looked(system, at=at + DAY)
    assert (young["status"], "A whole week" in young["sentence"]) == ("too_little", True)
    few = looked(system, at=at + 3 * DAY)
    assert (few["status"], few["looks"], few["rows"]) == ("too_little", 0, 32)
    assert "50 are needed" in few["sentence"]
    assert told(system) == []


def test_before_a_week_has_passed_since_the_training_set_there_is_no_verdict(system: System) -> None:
    learnt(system)
    traffic(system, mails(96, seed=2, first=1000, topics=["recall"]), at=build.AT + 3 * DAY, days=20)
    early = looked(system, at=build.AT + 3 * DAY)
    assert (early["status"], "the newest completion of the training set" in early["sentence"]) == ("too_little", True)
    assert told(system) == []


def test_turns_of_a_conversation_count_once(system: System) -> None:
    learnt(system)
    records = mails(60, seed=2, first=1000, topics=["recall"])
    for place, record in enumerate(records):
        opened = {"role": "user", "content": f"hello {place // 15}"}
        record["request"]["messages"] = [
            opened,
            {"role": "assistant", "content": "Yes?"},
            *record["request"]["messages"],
        ]
    traffic(system, records)
    found = looked(system)
    assert (found["status"], found["conversations"]) == ("too_little", 4)


def test_each_slice_is_watched_by_itself(system: System) -> None:
    """Of the known mails none is new; those of the slice are nothing that the model has learnt."""
    learnt(system)
    changing.put(ALIAS, routing((build.MODEL, 1), (build.MODEL, 1, {"topic": "recall"})), Said("ada"))
    known, recalls = mails(96, seed=2, first=1000), mails(96, seed=3, first=2000, topics=["recall"])
    traffic(system, [record for pair in zip(known, recalls, strict=True) for record in pair])
    found = looked(system)
    assert (found["status"], found["when"]) == ("steady", {})
    [recall] = found["slices"]
    assert (recall["status"], recall["when"], recall["rows"]) == ("drifted", {"topic": "recall"}, 84)
    assert [look["status"] for look in recall["history"]] == ["drifted"]
    assert recall["next"]["body"]["train"]["metadata"] == {"topic": "recall"}
    assert "tags=topic%3Drecall" in recall["next"]["url"]
    assert recall["next"]["command"] == f"stillhouse alias drift {ALIAS} --distill --slice topic=recall"
    [notice] = told(system)
    assert "the alias quick with topic=recall" in notice["sentence"]


def test_a_model_that_answers_a_slice_is_held_against_that_slice_alone(system: System) -> None:
    learnt(system, topics=["refund"])
    changing.put(ALIAS, routing((build.TEACHER, 1), (build.MODEL, 1, {"topic": "refund"})), Said("ada"))
    traffic(system, mails(240, seed=2, first=1000))
    found = looked(system)
    assert (found["status"], found["when"], found["slices"]) == ("steady", {"topic": "refund"}, [])
    assert 50 < found["rows"] < 120


def test_a_model_that_learnt_everything_is_held_against_what_it_learnt_of_its_slice(system: System) -> None:
    """Refunds alone are its calls, as they were a third of what it learnt: nothing has moved."""
    learnt(system, 240)
    changing.put(ALIAS, routing((build.TEACHER, 1), (build.MODEL, 1, {"topic": "refund"})), Said("ada"))
    traffic(system, mails(240, seed=2, first=1000))
    found = looked(system)
    assert (found["status"], found["when"]) == ("steady", {"topic": "refund"})
    [country] = [one for one in found["fields"] if one["comparison"]["field"] == "metadata.country"]
    assert 50 < country["comparison"]["other_rows"] < 120


def test_a_model_that_is_back_goes_on_with_its_looks_and_is_not_told_of_again(system: System) -> None:
    first = learnt(system)
    source = {"type": "stored_completions", "metadata": {"topic": "refund"}, "created_before": build.AT + 120}
    second = str(system.ok("POST", "/v1/datasets", {"source": source})["id"])
    while system.deliver("ASSEMBLY"):
        pass
    ModelVersion(id="lab-small:other", created_at=1, base=build.STUDENT, trainer="", dataset_id=second).create()
    at = now()
    traffic(system, mails(96, seed=2, first=1000, topics=["refund", "login", "recall"]), at=at)
    assert looked(system, at=at)["told_at"] == at
    changing.put(ALIAS, routing(("lab-small:other", 1)), Said("ada"))
    other = looked(system, at=at + DAY)
    assert (other["dataset_id"], other["looks"]) == (second, 1)
    changing.put(ALIAS, routing((build.MODEL, 1)), Said("ada"))
    assert len(told(system)) == 2
    back = looked(system, at=at + 2 * DAY)
    assert (back["dataset_id"], back["looks"], back["since"], back["told_at"]) == (first, 2, at, at)
    assert [look["at"] for look in back["history"]] == [at + 2 * DAY, at + DAY, at]
    assert told(system) == []


def test_the_first_calls_may_be_deleted(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_of_alias, "_MOST_DELETED", 2)
    learnt(system)
    at = now()
    first = mails(4, seed=3, first=5000)
    traffic(system, first, at=at - 20 * DAY, days=1)
    traffic(system, mails(96, seed=2, first=1000), at=at)
    for record in first:
        system.ok("DELETE", f"/v1/chat/completions/{record['response']['id']}")
    assert looked(system, at=at)["status"] == "steady"


def test_an_alias_of_models_that_learnt_nothing_here_is_not_watched(system: System) -> None:
    system.ok("PUT", f"/v1/aliases/{ALIAS}", {"targets": [{"model": "lab-judge"}]})
    CLOCK({"due": "daily"}, FakeContext())
    assert build.sent(system, "ASSEMBLY") == []
    found = system.ok("GET", f"/v1/aliases/{ALIAS}/drift")
    assert (found["status"], found["history"]) == ("unwatched", [])
    assert system.call("GET", "/v1/aliases/nobody/drift")[0] == 404
