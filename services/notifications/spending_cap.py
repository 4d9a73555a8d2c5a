"""Tell people, once a month, that trainings, evals and rollouts have cost what they may."""

from __future__ import annotations

from notifications.alerts import Alert
from notifications.raising import raise_once
from providers.spending import cap_is_reached


def tell_if_reached() -> None:
    """Raise the alert of this month's cap where it is reached."""
    spent = cap_is_reached()
    if spent is None:
        return
    kinds = f"Trainings ${spent.trainings_usd:.2f}, evals ${spent.evals_usd:.2f}, rollouts ${spent.rollouts_usd:.2f}"
    refused = (
        "New evals, distillations, trainings and rollouts are refused until the month ends or the cap is raised: "
        "POST /v1/costs. Open rollouts grade nothing until then."
    )
    lines = [f"{kinds}; {spent.unpriced} without a known cost.", refused]
    cap = f"the cap is ${spent.monthly_cap_usd:.2f}"
    sentence = f"Trainings, evals and rollouts have cost ${spent.total_usd:.2f} in {spent.month}; {cap}."
    alert = Alert.of("spending.cap_reached", spent.month, str(spent.monthly_cap_usd), sentence=sentence, lines=lines)
    raise_once(alert)
