"""Two runs compared through the API: what differs, what is noise, what is refused."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest

from evals import stored_figures
from evals.run import Run
from foundation import blobs
from stats import PairedCounts, holm, mcnemar_exact, paired_bca, rows_needed, tango_interval, wilson
from tests.api.rows import CHECK, CLOSE, answered, create_eval, graded, started
from tests.flow.system import FakeContext, System


def compare(system: System, eval_id: str, run: str, baseline: str, query: str = "") -> dict[str, Any]:
    url = f"/v1/evals/{eval_id}/runs/{run}/comparison?baseline={baseline}{query}"
    answer: dict[str, Any] = system.ok("GET", url)
    return answer


def both(system: System, ours: str, theirs: str, items: list[dict[str, Any]] | None = None) -> tuple[str, str, str]:
    """An eval and its runs with these answers."""
    eval_id = create_eval(system)
    runs = [graded(system, eval_id, answered(answers, items or ())) for answers in (ours, theirs)]
    return eval_id, *runs


def test_the_figures_of_a_pair(system: System) -> None:
    # Won: 20 rows, lost: 5; two rows have an error in one of the runs.
    ours, theirs = "p" * 60 + "f" * 40 + "pe", "p" * 40 + "f" * 20 + "p" * 5 + "f" * 35 + "ep"
    eval_id, run, baseline = both(system, ours, theirs)
    comparison = compare(system, eval_id, run, baseline)
    counts = PairedCounts(n=100, won=20, lost=5)
    assert comparison["object"] == "eval.run.comparison"
    assert (comparison["run_id"], comparison["baseline_run_id"]) == (run, baseline)
    assert (comparison["rows"], comparison["errored"], comparison["only_in_run"], comparison["only_in_baseline"]) == (
        100,
        2,
        0,
        0,
    )
    assert (comparison["won"], comparison["lost"], comparison["gain"], comparison["discordance"]) == (20, 5, 0.15, 0.25)
    assert comparison["interval"] == list(tango_interval(counts))
    assert comparison["p_value"] == mcnemar_exact(20, 5)
    assert comparison["rows_needed"] == rows_needed(0.15, 0.25)
    assert comparison["run"] == {"passed": 60, "rows": 100, "pass_rate": 0.6, "interval": list(wilson(60, 100))}
    assert comparison["baseline"]["passed"] == 45
    assert comparison["finding"] == "better"
    (criterion,) = comparison["criteria"]
    assert (criterion["name"], criterion["won"], criterion["finding"], criterion["scores"]) == (
        "correct",
        20,
        "better",
        None,
    )
    turned = compare(system, eval_id, baseline, run)
    assert (turned["finding"], turned["won"], turned["gain"]) == ("worse", 5, -0.15)
    assert turned["interval"] == [-end for end in reversed(comparison["interval"])]


def test_two_runs_that_differ_by_noise_are_called_noise(system: System) -> None:
    """Five runs are right on 70% of the rows; on which, is chance. One pair in twenty may be called different."""
    rng, eval_id = random.Random(1), create_eval(system)
    runs = [graded(system, eval_id, answered("".join(rng.choices("pf", (7, 3), k=250)))) for _ in range(5)]
    comparisons = [compare(system, eval_id, ours, theirs) for ours, theirs in combinations(runs, 2)]
    assert all(finding["won"] + finding["lost"] > 70 for finding in comparisons)
    noise = [finding for finding in comparisons if finding["finding"] == "noise"]
    assert len(noise) >= 9
    for comparison in noise:
        assert comparison["interval"][0] < 0 < comparison["interval"][1]
        assert comparison["rows_needed"] is None or comparison["rows_needed"] > 250, (
            "what it would take to show this little"
        )


def test_won_and_lost_rows_are_named_by_their_items(system: System) -> None:
    eval_id, run, baseline = both(system, "pppff", "pffpp")
    comparison = compare(system, eval_id, run, baseline)
    for rows, status in ((comparison["won_items"], "pass"), (comparison["lost_items"], "fail")):
        assert len(rows) == 2
        for row in rows:
            ours = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run}/output_items/{row['run_item_id']}")
            theirs = system.ok("GET", f"/v1/evals/{eval_id}/runs/{baseline}/output_items/{row['baseline_item_id']}")
            assert ours["datasource_item_id"] == theirs["datasource_item_id"]
            assert (ours["status"], theirs["status"] == "pass") == (status, status == "fail")


def test_scores_are_compared_by_the_paired_bootstrap(system: System) -> None:
    eval_id = create_eval(system, CHECK, CLOSE)
    run, baseline = (graded(system, eval_id, answered(answers)) for answers in ("p" * 40 + "f" * 20, "pf" * 30))
    comparison = compare(system, eval_id, run, baseline)
    scores = [
        [
            item["results"][1]["score"]
            for item in system.ok("GET", f"/v1/evals/{eval_id}/runs/{side}/output_items?limit=100")["data"]
        ]
        for side in (run, baseline)
    ]
    close = comparison["criteria"][1]["scores"]
    assert comparison["criteria"][0]["scores"] is None
    assert close["difference"] == pytest.approx((sum(scores[0]) - sum(scores[1])) / 60)
    assert close["interval"] == pytest.approx(list(paired_bca(*scores, seed=comparison["seed"])))
    assert comparison["draws"] == 10_000


def test_rows_pair_by_completion_id_and_else_only_where_their_items_are_equal(system: System) -> None:
    eval_id = create_eval(system)
    ours = answered("pppp", [{"completion_id": "a"}, {"completion_id": "b"}, {"text": "same"}, {"text": "mine"}])
    theirs = answered("ffff", [{"completion_id": "b"}, {"completion_id": "c"}, {"text": "same"}, {"text": "yours"}])
    comparison = compare(system, eval_id, graded(system, eval_id, ours), graded(system, eval_id, theirs))
    assert (comparison["rows"], comparison["only_in_run"], comparison["only_in_baseline"]) == (2, 2, 2)


def test_rows_of_one_group_are_not_taken_for_independent(system: System) -> None:
    tags = [{"metadata": {"user": f"u{row // 10}"}} for row in range(100)]
    ours, theirs = "p" * 70 + "f" * 30, "f" * 70 + "p" * 30
    eval_id, run, baseline = both(system, ours, theirs, tags)
    alone = compare(system, eval_id, run, baseline)
    grouped = compare(system, eval_id, run, baseline, "&group_by=user")
    assert (alone["finding"], alone["gain"]) == ("better", 0.4)
    assert grouped["interval"][0] < 0
    assert grouped["p_value"] == pytest.approx(0.2059, abs=1e-4)
    assert (grouped["finding"], grouped["rows_needed"]) == ("noise", None)
    assert grouped["methods"]["interval"] == "cluster_bootstrap"


def test_slices_are_corrected_for_their_number(system: System) -> None:
    tags = [{"metadata": {"topic": "login" if row < 30 else "mail"}, "label": str(row % 2)} for row in range(90)]
    eval_id, run, baseline = both(system, "f" * 12 + "p" * 78, "p" * 60 + "f" * 30, tags)
    comparison = compare(system, eval_id, run, baseline)
    slices = {(slice_["key"], slice_["value"]): slice_ for slice_ in comparison["slices"]}
    assert set(slices) == {("topic", "login"), ("topic", "mail"), ("item.label", "0"), ("item.label", "1")}
    p_values = [slice_["p_value"] for slice_ in comparison["slices"]]
    assert [slice_["adjusted_p_value"] for slice_ in comparison["slices"]] == pytest.approx(holm(p_values))
    assert {value: slice_["finding"] for (key, value), slice_ in slices.items() if key == "topic"} == {
        "login": "worse",
        "mail": "better",
    }
    assert comparison["slices"][0]["value"] == "login", "the worst comes first"
    asked = compare(system, eval_id, run, baseline, "&slices=item.label,absent")
    assert {slice_["key"] for slice_ in asked["slices"]} == {"item.label"}
    assert [omission["key"] for omission in asked["left_out"]] == ["absent"]
    grouped = compare(system, eval_id, run, baseline, "&slices=item.label&group_by=topic")
    assert {slice_["key"] for slice_ in grouped["slices"]} == {"item.label"}


# ------------------------------------------------------------------ kept, and refused


def test_a_comparison_is_made_once_and_goes_with_its_run(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    eval_id, run, baseline = both(system, "ppff", "pfpf")
    comparison = compare(system, eval_id, run, baseline)
    monkeypatch.setattr("evals.output_items.output_items", None)  # nothing is read again
    assert compare(system, eval_id, run, baseline) == comparison
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evals.output_items.output_items", None)
        assert system.call("GET", f"/v1/evals/{eval_id}/runs/{baseline}/comparison?baseline={run}")[0] == 500
    assert list(blobs.keys(f"runs/{run}/comparisons/"))
    system.ok("DELETE", f"/v1/evals/{eval_id}/runs/{run}")
    assert not list(blobs.keys(f"runs/{run}/"))


def refused(system: System, url: str) -> tuple[int, str, str | None]:
    status, answer = system.call("GET", url)
    return status, answer["error"]["code"], answer["error"]["param"]


def test_what_cannot_be_compared_is_refused_by_name(system: System) -> None:
    eval_id, run, baseline = both(system, "pp", "pf", [{"metadata": {"a": "b"}}, {}])
    other = create_eval(system)
    stranger = graded(system, other, answered("pp"))
    different = graded(system, eval_id, answered("pp", [{"text": "x"}, {"text": "y"}]))
    open_run = started(system, eval_id, answered("pp"))["id"]
    at = f"/v1/evals/{eval_id}/runs/{run}/comparison"
    assert refused(system, at) == (400, "missing_required_parameter", "baseline")
    assert refused(system, f"{at}?baseline=evalrun_none") == (404, "not_found", "baseline")
    assert refused(system, f"{at}?baseline={stranger}") == (400, "different_evals", "baseline")
    assert refused(system, f"{at}?baseline={run}") == (400, "invalid_value", "baseline")
    assert refused(system, f"{at}?baseline={different}") == (400, "no_common_rows", "baseline")
    assert refused(system, f"{at}?baseline={baseline}&group_by=absent") == (400, "invalid_value", "group_by")
    assert refused(system, f"{at}?baseline={open_run}") == (409, "run_not_completed", "baseline")
    open_at = f"/v1/evals/{eval_id}/runs/{open_run}/comparison?baseline={run}"
    assert refused(system, open_at) == (409, "run_not_completed", "run_id")
    many = ",".join(f"k{number}" for number in range(21))
    assert refused(system, f"{at}?baseline={baseline}&slices={many}") == (400, "invalid_value", "slices")
    assert not list(blobs.keys(f"runs/{run}/comparisons/")), "a refusal is not kept"


def test_more_rows_than_one_request_can_read_are_refused(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    eval_id, run, baseline = both(system, "pp", "pf")
    at = f"/v1/evals/{eval_id}/runs/{run}/comparison?baseline={baseline}"
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 7_000)
    assert refused(system, at)[:2] == (413, "too_many_rows")
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_figures, "MOST_ROWS", 3)
        assert refused(system, at) == (413, "too_many_rows", None)
        assert system.call("GET", f"/v1/evals/{eval_id}/runs/{run}/slices")[0] == 200, "two rows"
        patch.setattr(stored_figures, "MOST_ROWS", 1)
        assert refused(system, f"/v1/evals/{eval_id}/runs/{run}/slices?by=a")[0] == 413
    assert system.call("GET", at)[0] == 200


def test_a_run_canceled_halfway_is_not_compared(system: System) -> None:
    eval_id, run, baseline = both(system, "pp", "pf")
    Run.load(baseline).change({"status": "canceled"})
    at = f"/v1/evals/{eval_id}/runs/{run}/comparison?baseline={baseline}"
    assert refused(system, at) == (409, "run_not_completed", "baseline")


def test_rows_of_one_completion_are_each_compared(system: System) -> None:
    same = [{"completion_id": "chatcmpl-1"} for _ in range(4)]
    comparison = compare(system, *both(system, "ppff", "pfpf", same))
    assert (comparison["rows"], comparison["won"], comparison["lost"]) == (4, 1, 1)
    assert (comparison["run"]["passed"], comparison["baseline"]["passed"]) == (2, 2)


def test_an_answer_cut_off_fails_in_a_runs_figures_as_in_its_slices_and_comparisons(system: System) -> None:
    eval_id = create_eval(system)
    rows = answered("p" * 6, [{"part": "a"}] * 6)
    for row, reason in zip(rows[:3], ("length", "content_filter", "stop"), strict=True):
        message = {"role": "assistant", "content": row["sample"]["output_text"]}
        row["sample"]["choices"] = [{"index": 0, "finish_reason": reason, "message": message}]
    run, baseline = graded(system, eval_id, rows), graded(system, eval_id, answered("p" * 6, [{"part": "a"}] * 6))
    shown = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run}")
    assert (shown["statistics"]["passed"], shown["statistics"]["rows"]) == (4, 6)
    assert (shown["result_counts"]["passed"], shown["result_counts"]["failed"]) == (4, 2)
    assert compare(system, eval_id, run, baseline)["run"]["passed"] == 4
    assert system.ok("GET", f"/v1/evals/{eval_id}/runs/{run}/slices")["passed"] == 4
    statuses = system.ok("GET", f"/v1/evals/{eval_id}/runs/{run}/output_items?limit=100")["data"]
    assert {status["status"] for status in statuses} == {"pass"}, "what the graders say is shown as it is"
    assert shown["per_testing_criteria_results"][0]["passed"] == 6


@pytest.mark.parametrize("user", ["u{}", "u{}" + "x" * 80])
def test_groups_may_lie_deep_in_the_item_and_have_long_names(system: System, user: str) -> None:
    items = [{"user": {"id": user.format(row // 10)}} for row in range(100)]
    flat = [{"metadata": {"user": user.format(row // 10)}} for row in range(100)]
    answers = "p" * 70 + "f" * 30, "f" * 70 + "p" * 30
    deep = compare(system, *both(system, *answers, items), "&group_by=item.user.id")
    known = compare(system, *both(system, *answers, flat), "&group_by=user")
    # Ten groups move an end of the interval in steps of a tenth, and each pair of runs has draws of its own.
    assert (deep["p_value"], deep["interval"]) == (known["p_value"], pytest.approx(known["interval"], abs=0.11))
    assert deep["finding"] == "noise"
    assert "item.user.id" not in {slice_["key"] for slice_ in [*deep["slices"], *deep["left_out"]]}, (
        "no slice of its own"
    )


def test_criteria_are_corrected_for_their_number(system: System) -> None:
    criteria = [{**CHECK, "name": f"check {number}"} for number in range(3)]
    eval_id = create_eval(system, *criteria)
    runs = [graded(system, eval_id, answered(answers)) for answers in ("p" * 7 + "f" * 30, "f" * 37)]
    comparison = compare(system, eval_id, *runs)
    p_values = [criterion["p_value"] for criterion in comparison["criteria"]]
    assert p_values == [mcnemar_exact(7, 0)] * 3
    assert [criterion["adjusted_p_value"] for criterion in comparison["criteria"]] == pytest.approx(holm(p_values))
    assert (comparison["finding"], {criterion["finding"] for criterion in comparison["criteria"]}) == (
        "better",
        {"better"},
    )
    less = graded(system, eval_id, answered("p" * 6 + "f" * 31))
    comparison = compare(system, eval_id, less, runs[1])
    assert comparison["p_value"] < 0.05 < comparison["criteria"][0]["adjusted_p_value"]
    assert (comparison["finding"], {criterion["finding"] for criterion in comparison["criteria"]}) == (
        "better",
        {"noise"},
    )
    assert "criteria" in comparison["methods"]["adjusted_for"]
