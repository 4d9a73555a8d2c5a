"""Which completions: the filter of lists, exports, searches, runs and training sets.

In: conditions, all of which must hold. Out: the posting lists that narrow the search, and whether a reference from them
meets the other conditions. `text` is about bodies, which a reference has not: `index.completions` applies it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from completions import postings, search
from completions.completion import Completion, Metadata
from completions.dimensions import alias_lists, tags
from completions.postings import Reference
from foundation.bounds import Name

_END = 1 << 53
_MOST_USD = 1e9
type Amount = Annotated[int, Field(ge=0, lt=_END)]
type Usd = Annotated[float, Field(ge=0, lt=_MOST_USD, allow_inf_nan=False)]
# Negative times are valid: a retention policy of many years has a bound before the epoch.
type Moment = Annotated[int, Field(gt=-_END, lt=_END)]
_COMMON = {"model", "metadata", "metadata_not", "created_after", "created_before", "has_error", "text"}
"""The conditions that lists, or the first lines of `fits`, decide. Most filters have no others, so that a million
references are not asked about them."""


class Filter(BaseModel):
    """Which completions: every condition must hold. Times are inclusive, in seconds UTC; tokens are prompt plus answer.

    Costs are US dollars by the price list of when they are asked for. A completion without a latency, usage or price
    meets no condition on it. Failed calls are left out, unless `has_error` asks
    for them alone (true) or for all calls (null).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Name | None = None
    model_not: Name | None = None
    metadata: Metadata = Field(default_factory=dict)
    metadata_not: Metadata = Field(default_factory=dict)
    created_after: Moment | None = None
    created_before: Moment | None = None
    finish_reason: Name | None = None
    finish_reason_not: Name | None = None
    min_tokens: Amount | None = None
    max_tokens: Amount | None = None
    min_latency_ms: Amount | None = None
    max_latency_ms: Amount | None = None
    min_cost_usd: Usd | None = None
    max_cost_usd: Usd | None = None
    has_tools: bool | None = None
    has_error: bool | None = False
    origin: Name | None = None
    alias: Name | None = None
    """An alias, or one version of it as `quick-reply@3`."""
    text: str | None = Field(default=None, min_length=1, max_length=512)

    def dimensions(self) -> list[str]:
        """The posting lists that name every completion which meets the conditions."""
        models = [f"m:{self.model}"] if self.model else []
        by_alias = alias_lists(self.alias)[-1:] if self.alias else []
        return [*tags(dict(sorted(self.metadata.items()))), *models, *by_alias] or [postings.ALL]

    def fits(self, reference: Reference) -> bool:
        """Whether a reference from those lists also meets the conditions for which there are no lists."""
        metadata = reference.metadata or {}
        return (
            (self.has_error is None or self.has_error == reference.failed)
            and (not self.metadata or self.metadata.items() <= metadata.items())
            and not (self.metadata_not and self.metadata_not.items() & metadata.items())
            and (self.model_fields_set <= _COMMON or self._fits_facts(reference))
        )

    def _fits_facts(self, reference: Reference) -> bool:
        """Whether it meets the conditions that `_COMMON` does not name."""
        return (
            (self.model_not is None or self.model_not not in reference.models)
            and (self.finish_reason is None or reference.finish_reason == self.finish_reason)
            and (self.finish_reason_not is None or reference.finish_reason != self.finish_reason_not)
            and (self.has_tools is None or reference.has_tools == self.has_tools)
            and (self.origin is None or reference.origin == self.origin)
            and (self.alias is None or self.alias in _labels(reference.alias))
            and _within(reference.tokens, self.min_tokens, self.max_tokens)
            and _within(reference.latency_ms, self.min_latency_ms, self.max_latency_ms)
            and self._fits_cost(reference)
        )

    def _fits_cost(self, reference: Reference) -> bool:
        if self.min_cost_usd is None and self.max_cost_usd is None:
            return True
        # Imported here: it brings the providers, which a filter without such a condition does without.
        from providers import prices

        tokens = (reference.prompt_tokens, reference.cached_tokens, reference.completion_tokens)
        costs = [prices.call_usd(reference.model, *tokens)]
        if reference.first_asked:
            costs.append(prices.call_usd(*reference.first_asked))
        known = [cost for cost in costs if cost is not None]
        return _within(sum(known) if len(known) == len(costs) else None, self.min_cost_usd, self.max_cost_usd)

    def may_match(self, line: bytes) -> bool:
        """Whether a completion with this line of JSON may contain the text. False is certain, True is not."""
        return self.text is None or search.may_contain(line, self.text)

    def matches(self, completion: Completion) -> bool:
        """Whether the text is in a message or an answer; upper and lower case are the same."""
        return self.text is None or search.contains(completion, self.text)


def _labels(alias: str | None) -> tuple[str, ...]:
    """What a filter may call the alias of a reference: its name, and its name with the version."""
    return (alias, alias.partition("@")[0]) if alias else ()


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or low <= value) and (high is None or value <= high)
