"""A run that has ended tells so once more when a message of it comes again.

In: an ended run. Out: its summary. The delivery that ended it may have died after the table said so and before the
summary landed, and whoever waits for the run hears of it by the summary alone.
"""

from __future__ import annotations

from foundation.evals import Run


def tell_again(run: Run) -> None:
    """Let the summary land again; nobody waits for a canceled run."""
    if run.status != "canceled":
        run.finish(status=run.status)
