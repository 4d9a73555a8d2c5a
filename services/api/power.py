"""How many rows a difference takes, before a run is paid for. Our own, `/v1/evals/{id}/power`."""

from __future__ import annotations

from evals.eval import Eval
from evals.figures import ALPHA, POWER
from evals.power import PowerAnswer, PowerQuestion, power_answer, refuse_without_pass_rate
from evals.run import Run, run_of_eval
from foundation import http
from foundation.errors import ApiError
from foundation.routes import Query, Routes

router = Routes("Power")
_MOST_ROWS = 10_000_000
# A smaller share needs more rows than floats can count.
_LEAST_SHARE = 1e-6
_SHARE = {"type": "number", "minimum": _LEAST_SHARE, "maximum": 1 - _LEAST_SHARE}
_ROWS = {"type": "integer", "minimum": 1, "maximum": _MOST_ROWS}


@router.get(
    "/v1/evals/<eval_id>/power",
    scope="read",
    query=(
        Query("baseline", "A completed run of the eval, whose pass rate counts."),
        Query("difference", "The difference of two pass rates that is to be shown.", _SHARE),
        Query("discordance", "The share of rows on which the two runs differ, where it is known.", _SHARE),
        Query("rows", "How many rows there would be; if absent, those of the baseline.", _ROWS),
        Query("alpha", "The two-sided level of the test: 0.05 if absent.", _SHARE),
        Query("power", "The chance of showing the difference: 0.8 if absent.", _SHARE),
    ),
    errors={409: "The baseline is not completed, or has no graded row."},
)
def retrieve_power(eval_id: str) -> PowerAnswer:
    """Say how many rows a difference between two runs takes, before a run is paid for.

    Give a `difference` or `rows`, and a `baseline` or a `discordance`.
    """
    Eval.load(eval_id, param="eval_id")
    baseline = _baseline(eval_id)
    question = PowerQuestion(
        difference=_share("difference"),
        alpha=_share("alpha") or ALPHA,
        power=_share("power") or POWER,
        discordance=_share("discordance"),
        rows=_rows(),
    )
    return power_answer(eval_id, question, baseline)


def _baseline(eval_id: str) -> Run | None:
    run_id = http.query_of(router, "baseline")
    if not run_id:
        return None
    run = run_of_eval(eval_id, run_id)
    refuse_without_pass_rate(run)
    return run


def _share(name: str) -> float | None:
    """A parameter between 0 and 1, or None where it is not given."""
    text = http.query_of(router, name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # A level or a difference of all or nothing has no number of rows.
    if not _LEAST_SHARE <= value <= 1.0 - _LEAST_SHARE:
        message = f"Invalid '{name}': a number between 0 and 1 is expected, at least {_LEAST_SHARE} from both."
        raise ApiError(message, code="invalid_value", param=name)
    return value


def _rows() -> int | None:
    text = http.query_of(router, "rows")
    if text is None:
        return None
    digits = len(str(_MOST_ROWS))
    if not text.isdecimal() or len(text) > digits or not 0 < int(text) <= _MOST_ROWS:
        raise ApiError(f"Invalid 'rows': 1 to {_MOST_ROWS} are expected.", code="invalid_value", param="rows")
    return int(text)
