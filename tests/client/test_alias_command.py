"""`stillhouse alias`: what is asked of Stillhouse, and what a person reads."""

import json

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli

TARGETS = [
    {"model": "gpt-6", "weight": 95, "when": {}},
    {"model": "ft:a=b", "weight": 5, "when": {}},
    {"model": "student", "weight": 1, "when": {"topic": "refund"}},
]
ALIAS = {
    "id": "quick",
    "object": "alias",
    "version": 7,
    "by": "key_1",
    "why": "canary",
    "updated_at": 1_790_000_000,
    "targets": TARGETS,
    "sticky_by": {"header": None, "metadata": "customer"},
    "fallback": "gpt-6",
    "promote_on": None,
}
VERSION = {**ALIAS, "id": "quick@7", "created_at": 1_790_000_000, "rolled_back_to": 5, "deleted": False}
FIELD = {"comparison": {"field": "metadata.topic", "psi": 1.25, "psi_noise_95": 0.04}, "since": 1_790_000_000}
NEXT = {"lacks": None, "command": "stillhouse alias drift quick --distill", "body": {"name": "again"}}
DRIFT = {
    "status": "drifted",
    "sentence": "The traffic has moved.",
    "concerns": ["metadata.topic 'recall' is 33% of recent traffic and 0% of this set."],
    "newcomers": [
        {"field": "topic", "value": "recall\x1b[2J", "share": 0.33, "other_share": 0.0, "examples": ["chatcmpl-1"]}
    ],
    "fields": [FIELD, {**FIELD, "since": None}],
    "next": NEXT,
    "when": {},
    "slices": [],
    "left_out": ["build", "release"],
}
OF_SLICE = {
    **DRIFT,
    "when": {"topic": "late refund"},
    "next": {**NEXT, "command": "its own command", "body": {"name": "of the slice"}},
}


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def answer(_, method, path, body=None):
        if method != "GET":
            calls.append((method, path, body))
        if path.endswith("/quick/drift"):
            return DRIFT
        if path.endswith("/steady/drift"):
            return {**DRIFT, "next": None, "status": "steady", "sentence": "No drift."}
        if path.endswith("/sliced/drift"):
            return {**DRIFT, "slices": [OF_SLICE, {**OF_SLICE, "when": {"topic": "a"}, "next": None}]}
        if path.endswith("/untaught/drift"):
            return {**DRIFT, "next": {**NEXT, "lacks": "Let the teacher answer."}}
        if path == "/distillations":
            return {"id": "distill_1", "status": "queued", "name": "again"}
        if "/versions" in path:
            return {"data": [VERSION, {**VERSION, "version": 6, "deleted": True}], "has_more": False}
        if path.startswith("/aliases?"):
            return {"data": [ALIAS], "has_more": False}
        return {"id": "quick", "object": "alias.deleted", "deleted": True} if method == "DELETE" else ALIAS

    monkeypatch.setattr(asking, "asked", answer)
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, ["alias", *arguments])


def test_it_is_made_where_there_is_none(asked):
    assert run("set", "new", "gpt-6").exit_code == 0
    assert asked == [("PUT", "/aliases/new", {"targets": [{"model": "gpt-6"}], "version": 0})]


def test_what_is_not_given_stays_and_the_version_that_was_seen_must_hold(asked):
    options = ["--slice", "topic=late refund student=3", "--fallback", "none", "--why", "more"]
    assert run("set", "quick", "gpt-6=75", "ft:a=b=25", *options, "--promote-on", "beats_baseline").exit_code == 0
    [(method, path, body)] = asked
    assert (method, path) == ("PUT", "/aliases/quick")
    assert body == {
        "targets": [
            {"model": "gpt-6", "weight": 75},
            {"model": "ft:a=b", "weight": 25},
            {"model": "student", "weight": 3, "when": {"topic": "late refund"}},
        ],
        "sticky_by": ALIAS["sticky_by"],
        "fallback": None,
        "promote_on": "beats_baseline",
        "why": "more",
        "version": 7,
    }


@pytest.mark.parametrize("wrong", [["=5"], ["m=x"], ["m", "--slice", "topic m"], ["m", "--slice", "m"]])
def test_what_is_no_target_stops_before_anything_is_changed(wrong, asked):
    result = run("set", "quick", *wrong)
    assert (result.exit_code, asked) == (1, [])
    assert "give" in result.stderr


CASCADE = {"to": "gpt-6", "by": "logprob", "threshold": -0.12}


def test_what_a_target_is_not_sure_of_goes_to_its_teacher(asked):
    assert run("set", "new", "student", "--cascade", "student=-0.12 gpt-6").exit_code == 0
    assert asked[0][2]["targets"] == [{"model": "student", "cascade": CASCADE}]


def test_a_target_that_is_named_again_keeps_its_cascade_until_it_is_told(asked, monkeypatch):
    monkeypatch.setitem(TARGETS[1], "cascade", {**CASCADE, "place": {"model": "gpt-6", "provider": "openai"}})
    assert "ft:a=b 5% (below -0.12 to gpt-6)" in run("show", "quick").output
    run("set", "quick", "gpt-6=50", "ft:a=b=50")
    run("set", "quick", "ft:a=b=1", "--cascade", "ft:a=b=-0.5 gpt-5")
    run("set", "quick", "ft:a=b=1", "--cascade", "ft:a=b=none")
    run("set", "quick", "gpt-6", "--slice", "topic=x ft:a=b=1")
    assert [body["targets"][-1].get("cascade") for _, _, body in asked] == [
        CASCADE,
        {"to": "gpt-5", "by": "logprob", "threshold": -0.5},
        None,
        None,
    ]


@pytest.mark.parametrize(
    "wrong", ["student", "student=-0.1", "student=x gpt-6", "=1 gpt-6", "student=nan g", "other=-1 g"]
)
def test_what_is_no_cascade_stops_before_anything_is_changed(wrong, asked):
    assert run("set", "new", "student", "--cascade", wrong).exit_code == 1
    assert asked == []


def test_it_goes_back_in_one_call(asked):
    assert run("rollback", "quick").exit_code == 0
    assert run("rollback", "quick", "--version", "3", "--why", "worse").exit_code == 0
    path = "/aliases/quick/rollback"
    assert asked == [("POST", path, {}), ("POST", path, {"to": 3, "why": "worse"})]
    assert run("delete", "quick").stdout == "deleted: quick\n"


@pytest.mark.usefixtures("asked")
def test_shares_are_those_of_the_slice():
    assert run("list").stdout == "quick@7  gpt-6 95%, ft:a=b 5%, student 100% of topic=refund  fallback gpt-6\n"
    shown = run("show", "quick").stdout
    assert "quick@7  by key_1" in shown
    assert "sticky by: metadata customer" in shown
    assert "why: canary" in shown
    lines = run("versions", "quick").stdout.splitlines()
    assert "back to 5" in lines[0]
    assert "deleted" in lines[1]
    assert json.loads(run("show", "quick", "--json").stdout) == ALIAS


def test_the_next_distillation_is_that_of_the_slice_that_is_named(asked):
    assert run("drift", "sliced", "--distill").exit_code == 0
    assert run("drift", "sliced", "--distill", "--slice", "topic=late refund").exit_code == 0
    started = [("POST", "/distillations", {"name": name}) for name in ("again", "of the slice")]
    assert asked == started
    for given, told in (
        ("topic=a", "nothing to distill anew"),
        ("topic=b", "no trained model answers"),
        ("b", "no pair"),
    ):
        refused = run("drift", "sliced", "--distill", "--slice", given)
        assert (refused.exit_code, told in " ".join(refused.output.split())) == (1, True), refused.output
    assert "its own command" in run("drift", "sliced", "--distill", "--slice", "topic=a").output
    assert asked == started


def test_drift_is_told_field_by_field_and_its_next_distillation_started(asked):
    shown = run("drift", "quick")
    assert shown.exit_code == 0
    assert "drifted: The traffic has moved." in shown.output
    assert "1.250  chance up to 0.040  metadata.topic  drifts since 2026-09-21" in shown.output
    assert "new: topic 'recall<U+001B>[2J' is 0.0% of the set, 33.0% of the traffic; look at chatcmpl-1" in shown.output
    assert "next: stillhouse alias drift quick --distill" in shown.output
    assert asked == []
    begun = run("drift", "quick", "--distill")
    assert (begun.exit_code, begun.output) == (0, "distill_1  queued  again\n")
    assert asked == [("POST", "/distillations", {"name": "again"})]
    nothing = run("drift", "steady", "--distill")
    assert (nothing.exit_code, "nothing to distill anew: No drift." in nothing.output) == (1, True)
    lacking = run("drift", "untaught", "--distill")
    assert (lacking.exit_code, "Let the teacher answer." in lacking.output, len(asked)) == (1, True, 1)


def test_metadata_keys_are_left_out_of_the_drift_watch_all_at_once(asked):
    shown = run("drift", "quick", "--leave-out", "release", "--leave-out", "build")
    assert (shown.exit_code, shown.output.splitlines()[-1]) == (0, "left out: build, release")
    run("drift", "quick", "--leave-out", "none")
    assert asked == [
        ("PUT", "/aliases/quick/drift", {"leave_out": ["release", "build"]}),
        ("PUT", "/aliases/quick/drift", {"leave_out": []}),
    ]
