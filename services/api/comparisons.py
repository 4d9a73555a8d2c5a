"""Two runs of one eval compared, row by row. Our own, `…/runs/{id}/comparison?baseline=…`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from api import results
from api.figures import ALPHA, CONFIDENCE, ends, pass_rate
from evals.eval import Eval
from evals.run import Run
from foundation import http
from foundation.errors import ApiError
from foundation.ids import derived_id, now
from foundation.routes import Query, Routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from evals.comparing import ByRow, Gain, Groups, PairedSlice
    from evals.outcomes import Outcome

router = Routes("Comparisons")
_MOST_SHOWN = 500
_DRAWS = 10_000


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/comparison",
    scope="read",
    answer=dict[str, Any],
    query=(
        Query("baseline", "The other run, of the same eval.", required=True),
        Query("group_by", "A key that rows share which depend on each other, such as a conversation's."),
        Query("slices", "Keys separated by commas; if absent, every metadata key and every scalar field of the items."),
    ),
    errors={409: "A run is not completed.", 413: "The runs have too many rows for one request."},
)
def retrieve_comparison(eval_id: str, run_id: str) -> dict[str, Any]:
    """Compare two completed runs of one eval, row by row: better, worse or noise, with intervals."""
    run = results.completed_run(eval_id, run_id, param="run_id")
    baseline = _baseline(run)
    results.refuse_too_many_rows(run, baseline)
    group_by = http.query_of(router, "group_by") or None
    slices = results.names(http.query_of(router, "slices"), param="slices")
    question = [baseline.id, group_by, slices]
    return results.once(run, "comparisons", question, lambda: _compared(run, baseline, group_by, slices))


def _baseline(run: Run) -> Run:
    asked = http.query_of(router, "baseline")
    if not asked:
        raise ApiError("Missing required parameter: 'baseline'.", code="missing_required_parameter", param="baseline")
    baseline = Run.load(asked, param="baseline")
    if baseline.eval_id != run.eval_id:
        raise ApiError(
            f"The run {baseline.id} belongs to the eval {baseline.eval_id}; only runs of one eval are compared.",
            code="different_evals",
            param="baseline",
        )
    if baseline.id == run.id:
        raise ApiError("A run is not compared with itself.", code="invalid_value", param="baseline")
    return results.completed_run(run.eval_id, baseline.id, param="baseline")


def _compared(run: Run, baseline: Run, group_by: str | None, slices: list[str]) -> dict[str, Any]:
    from evals.comparing import gain, groups_of, paired_slices
    from evals.outcomes import outcomes
    from evals.slicing import every_tag, named_tags, with_group
    from stats import rows_needed

    check = results.in_time(router)
    tags_of = named_tags(slices) if slices else every_tag
    tags_of = with_group(tags_of, group_by) if group_by else tags_of
    ours, theirs = (outcomes(one, tags_of, each_chunk=check) for one in (run, baseline))
    shared = [row for row, one in ours.items() if row in theirs and one.content == theirs[row].content]
    rows = [row for row in shared if not ours[row].errored and not theirs[row].errored]
    _refuse_what_says_nothing(rows, ours, group_by)
    seed = int.from_bytes(derived_id("", run.id, baseline.id).encode()[:4])
    groups = groups_of(rows, ours, group_by)
    overall = gain([(ours[row].passed, theirs[row].passed) for row in rows], seed=seed, groups=groups)
    found, left_out = paired_slices(rows, ours, theirs, keys=slices, seed=seed, group_by=group_by)
    check()
    return {
        "object": "eval.run.comparison",
        "eval_id": run.eval_id,
        "run_id": run.id,
        "baseline_run_id": baseline.id,
        "created_at": now(),
        "finding": overall.finding,
        "rows": len(rows),
        "errored": len(shared) - len(rows),
        "only_in_run": len(ours) - len(shared),
        "only_in_baseline": len(theirs) - len(shared),
        "run": pass_rate(sum(ours[row].passed for row in rows), len(rows)),
        "baseline": pass_rate(sum(theirs[row].passed for row in rows), len(rows)),
        **_gain(overall),
        "discordance": overall.counts.discordance,
        # Rows that depend on each other show less than as many independent ones: how many it takes is not known.
        "rows_needed": None if groups else rows_needed(abs(overall.counts.gain), overall.counts.discordance),
        "criteria": _criteria(run, rows, ours, theirs, seed=seed, group_by=group_by, check=check),
        "slices": [_slice(one) for one in sorted(found, key=lambda one: one.gain)],
        "left_out": [asdict(one) for one in left_out],
        "won_items": _items(rows, ours, theirs),
        "lost_items": _items(rows, theirs, ours, turned=True),
        "group_by": group_by,
        "alpha": ALPHA,
        "confidence": CONFIDENCE,
        "seed": seed,
        "draws": _DRAWS,
        "methods": _methods(group_by),
    }


def _refuse_what_says_nothing(rows: list[str], ours: ByRow, group_by: str | None) -> None:
    if not rows:
        raise ApiError(
            "No row was graded in both runs: rows pair by completion_id, else by number where their items are equal.",
            code="no_common_rows",
            param="baseline",
        )
    if group_by and not any(group_by in ours[row].tags for row in rows):
        raise ApiError(f"Invalid 'group_by': no row has '{group_by}'.", code="invalid_value", param="group_by")


def _gain(gain: Gain) -> dict[str, Any]:
    counts = gain.counts
    return {
        "won": counts.won,
        "lost": counts.lost,
        "gain": counts.gain,
        "interval": ends(gain.interval),
        "p_value": gain.p_value,
    }


def _criteria(
    run: Run,
    rows: list[str],
    ours: ByRow,
    theirs: ByRow,
    *,
    seed: int,
    group_by: str | None,
    check: Callable[[], None],
) -> list[dict[str, Any]]:
    from evals.comparing import gain, groups_of
    from stats import holm

    described, gains = [], []
    for criterion in Eval.load(run.eval_id).testing_criteria:
        check()
        name = criterion.id
        judged = [row for row in rows if name in ours[row].results and name in theirs[row].results]
        pairs = [(ours[row].results[name], theirs[row].results[name]) for row in judged]
        groups = groups_of(judged, ours, group_by)
        of_criterion = gain([(first.passed, second.passed) for first, second in pairs], seed=seed, groups=groups)
        gains.append(of_criterion)
        described.append(
            {
                "testing_criteria": name,
                "name": criterion.name,
                "run": pass_rate(sum(first.passed for first, _ in pairs), len(pairs)),
                "baseline": pass_rate(sum(second.passed for _, second in pairs), len(pairs)),
                **_gain(of_criterion),
                "scores": _scores([(first.score, second.score) for first, second in pairs], seed=seed, groups=groups),
            }
        )
    adjusted = holm([one.p_value for one in gains])
    found = [replace(one, p_value=p_value).finding for one, p_value in zip(gains, adjusted, strict=True)]
    return [
        {**one, "adjusted_p_value": p_value, "finding": finding}
        for one, p_value, finding in zip(described, adjusted, found, strict=True)
    ]


def _scores(pairs: list[tuple[float | None, float | None]], *, seed: int, groups: Groups) -> dict[str, Any] | None:
    """Means and their difference, where the scores say more than passed and failed."""
    from evals.comparing import score_interval

    first = [ours for ours, _ in pairs if ours is not None]
    second = [theirs for _, theirs in pairs if theirs is not None]
    if len(first) < len(pairs) or len(second) < len(pairs) or {*first, *second} <= {0.0, 1.0}:
        return None
    means = [sum(scores) / len(scores) for scores in (first, second)]
    return {
        "run": means[0],
        "baseline": means[1],
        "difference": means[0] - means[1],
        "interval": ends(score_interval(first, second, seed=seed, groups=groups)),
    }


def _slice(one: PairedSlice) -> dict[str, Any]:
    return {
        "key": one.key,
        "value": one.value,
        "rows": one.rows,
        **_gain(one.gain_of_rows),
        "adjusted_p_value": one.p_value,
        "finding": "better" if one.better else "worse" if one.worse else "noise",
    }


def _items(rows: list[str], ours: ByRow, theirs: ByRow, *, turned: bool = False) -> list[dict[str, str]]:
    """The first rows that only the one passed."""
    won = [row for row in rows if ours[row].passed and not theirs[row].passed][:_MOST_SHOWN]

    def named(ours: Outcome, theirs: Outcome) -> dict[str, str]:
        return {"run_item_id": ours.item_id, "baseline_item_id": theirs.item_id}

    return [named(theirs[row], ours[row]) if turned else named(ours[row], theirs[row]) for row in won]


def _methods(group_by: str | None) -> dict[str, str]:
    if group_by:
        ways = {"interval": "cluster_bootstrap", "p_value": "durkalski", "scores": "cluster_bootstrap"}
    else:
        ways = {"interval": "tango", "p_value": "mcnemar_exact", "scores": "paired_bca_bootstrap"}
    return {"pass_rate": "wilson", **ways, "adjusted": "holm", "adjusted_for": "criteria; slices"}
