"""What a rollout's candidate may do worse than the model that answers now, and what is found of it so far.

In: limits that a caller gives, or their defaults. `judging` holds them against the pairs that were graded.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from foundation.document import Body

type GateName = Literal["quality", "errors", "malformed", "latency", "cost"]
type _Share = Annotated[float, Field(ge=0, lt=1)]

SLOW_SHARE = 0.05
"""Of the candidate's answers, how many may be slower than the limit: by definition 5% are slower than the p95."""
DEARER_SHARE = 0.5
"""Of the pairs, in how many the candidate may cost more than the limit: the ratio is that of the median pair."""


class Gates(Body):
    """What the candidate may do worse. A rollout goes back as soon as one of them is shown to be exceeded."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    quality_margin: _Share = 0.02
    """How much more often than the stable model the candidate may fail, on the same requests: 0.02 is 2 in 100."""
    max_error_rate: _Share = 0.02
    """The share of requests to which the candidate may give no answer at all."""
    malformed_margin: _Share = 0.01
    """How much more often its answers may be malformed: cut off, not in the format that was asked for, or with calls
    that cannot be made."""
    max_latency_p95_ms: Annotated[int, Field(gt=0, le=3_600_000, strict=True)] | None = None
    """The 95th percentile that its latency may have, in milliseconds. Absent, it is one and a half times that of the
    alias's newest captured answers by the stable model; null, or where fewer than 20 of these are known: no limit."""
    max_cost_ratio: Annotated[float, Field(gt=0, le=1000)] | None = None
    """How many times the stable answer its answer may cost, in most pairs; null for no limit."""
    alpha: Annotated[float, Field(ge=1e-6, le=0.5)] = 0.01
    """The probability that a candidate within all limits is rolled back by chance: of all gates, over the whole
    rollout, however often it is looked at."""
