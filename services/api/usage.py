"""Usage: volume, tokens, latency and cost of the captured completions, by model, day and tag.

In: a filter, and `group_by` as a list of `model`, `alias`, `day` (UTC) and `metadata.<key>`. Out: a row a group,
counted from the index each time it is asked for: what was captured, as it was tagged then, with what was deleted since;
with `price_as` also what the same tokens would cost with another model. Too many completions for one call are refused;
a narrower time is the remedy.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from aliases import history
from api import filters
from completions import index
from completions.filters import Filter
from completions.first_asked import FirstAsked
from completions.postings import Reference
from completions.scan import Scan
from foundation import http
from foundation.document import Document
from foundation.errors import ApiError
from foundation.routes import Query, Routes
from providers import prices
from providers.spending import Spending, spending
from providers.usage import ModelUsage, TokenSum
from stats.quantile import nearest_rank

router = Routes("Usage")
_TAG = "metadata."
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_MOST = 2_000_000
_MOST_GROUPS = 20_000


class Latencies(Document):
    """Quantiles of the milliseconds that answers took, by nearest rank."""

    p50: int
    p90: int
    p99: int


class UsageGroup(Document):
    """What the completions of one group used."""

    object: Literal["usage"] = "usage"
    group: dict[str, str | None]
    """By each name in `group_by`, the value that these completions have; null where they have no such tag or alias."""
    completions: int
    failed: int
    """Those of them whose call failed."""
    unkept: int
    """Answers of cascades' targets that were not kept: their tokens and their cost are in this group, their completions
    in the one of the model that answered."""
    without_usage: int
    """Answers of this group without counts of tokens, kept or not: tokens and cost leave them out."""
    prompt_tokens: TokenSum
    """A sum of tokens ends at 2^63 - 1."""
    cached_tokens: TokenSum
    """Those of the prompt tokens that the provider had cached."""
    completion_tokens: TokenSum
    latency_ms: Latencies | None
    """Null where no latency is known."""
    cost_usd: float | None
    """US dollars by the price list; null where a model has no price, or no answer has counts of tokens."""
    cost_as_usd: float | None = None
    """What these tokens would cost with the model in `price_as`, as many of them cached; null where none was named, or
    no answer has counts of tokens."""
    unpriced_models: list[str]
    """The models without a price."""


class Usage(Document):
    """The usage by group, in order of the groups' values."""

    object: Literal["list"] = "list"
    data: list[UsageGroup]
    complete: bool
    """Whether all were counted; false where there are more than `most`."""
    prices_as_of: str
    """The date of the price list."""
    spending: Spending
    """What trainings, evals and rollouts cost in the month of this request: they are in no group."""


class Group:
    """The counts of one group."""

    def __init__(self) -> None:
        self.completions = 0
        self.failed = 0
        self.without_usage = 0
        self.unkept = 0
        self.tokens: dict[str, Counter[str]] = defaultdict(Counter)
        self.latencies = array("Q")

    def add(self, reference: Reference) -> None:
        self.completions += 1
        self.failed += reference.failed
        tokens = (reference.prompt_tokens, reference.cached_tokens, reference.completion_tokens)
        if not self._count(FirstAsked(reference.model, *tokens)) and not reference.failed:
            self.without_usage += 1
        if reference.latency_ms is not None:
            self.latencies.append(reference.latency_ms)

    def add_unkept(self, asked: FirstAsked) -> None:
        """Count a call that was paid for besides."""
        self.unkept += 1
        if not self._count(asked):
            self.without_usage += 1

    def _count(self, asked: FirstAsked) -> bool:
        """Whether the tokens of this call are known, and counted."""
        if asked.prompt_tokens is None or asked.completion_tokens is None:
            return False
        used = self.tokens[asked.model]
        used["calls"] += 1
        used["prompt"] += asked.prompt_tokens
        used["cached"] += asked.cached_tokens or 0
        used["completion"] += asked.completion_tokens
        return True

    def shown(self, key: dict[str, str | None], price_as: str | None = None) -> UsageGroup:
        by_model = [
            ModelUsage(
                model_name=model,
                invocation_count=used["calls"],
                prompt_tokens=used["prompt"],
                completion_tokens=used["completion"],
                total_tokens=used["prompt"] + used["completion"],
                cached_tokens=used["cached"],
            )
            for model, used in sorted(self.tokens.items())
        ]
        counted = [used for used in by_model if used.invocation_count]
        cost = prices.cost_nanodollars(counted) if counted or not self.without_usage else None
        summed = ModelUsage(model_name=price_as or "")
        for used in counted:
            summed.merge(used)
        cost_as = prices.cost_nanodollars([summed]) if price_as and counted else None
        return UsageGroup(
            group=key,
            completions=self.completions,
            failed=self.failed,
            unkept=self.unkept,
            without_usage=self.without_usage,
            prompt_tokens=sum(used.prompt_tokens for used in by_model),
            cached_tokens=sum(used.cached_tokens for used in by_model),
            completion_tokens=sum(used.completion_tokens for used in by_model),
            latency_ms=_quantiles(self.latencies),
            cost_usd=None if cost is None else cost / 1e9,
            cost_as_usd=None if cost_as is None else cost_as / 1e9,
            unpriced_models=[used.model_name for used in by_model if not prices.is_priced(used.model_name)],
        )


@router.get(
    "/v1/usage",
    scope="read",
    query=(
        Query(
            "most",
            "Count the newest so many alone: whether some were left out is told in `complete`.",
            {"type": "integer", "minimum": 1, "maximum": _MOST},
        ),
        Query("group_by", "Names separated by commas: `model` (if absent), `alias`, `day` (UTC), `metadata.<key>`."),
        Query("price_as", "A model: what the tokens of each group would cost with it stands in `cost_as_usd`."),
        *(condition for condition in filters.CONDITIONS if condition.name != "text"),
    ),
    errors=filters.UNKNOWN_FILTER,
)
def usage() -> Usage:
    """Count the captured completions of a filter: volume, tokens, latency and cost by group."""
    names = _names(http.query_of(router, "group_by") or "model")
    groups: dict[tuple[str | None, ...], Group] = defaultdict(Group)
    most, price_as = _whole("most"), _price_as()
    scan = Scan(references=_MOST if most is None else most)
    wanted = filters.wanted(router)
    for reference in _captured(wanted, scan, newest_first=most is not None):
        if _is_of(wanted, reference):
            groups[tuple(_value(name, reference) for name in names)].add(reference)
        if reference.first_asked and _is_paid_for(wanted, reference.first_asked):
            beside = reference._replace(models=(reference.first_asked.model,))
            groups[tuple(_value(name, beside) for name in names)].add_unkept(reference.first_asked)
        if len(groups) > _MOST_GROUPS:
            raise _too_many_groups()
    ordered = sorted(groups.items(), key=lambda pair: [value or "" for value in pair[0]])
    data = [group.shown(dict(zip(names, values, strict=True)), price_as) for values, group in ordered]
    fitting, has_more = http.cut(data, None)
    if has_more:
        raise _too_many_groups()
    if scan.exhausted and most is None:
        raise ApiError(
            "There are more completions than one call can count. Narrow 'created_after' and 'created_before'.",
            code="too_many_completions",
            param="created_after",
        )
    return Usage(data=fitting, complete=not scan.exhausted, prices_as_of=prices.as_of(), spending=spending())


def _too_many_groups() -> ApiError:
    """The refusal of too many groups: a part of them would be misread as the whole."""
    return ApiError(
        "There are more groups than one answer holds. Leave out of 'group_by' what has a value for almost every "
        "completion, or narrow the filter.",
        code="too_many_groups",
        param="group_by",
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in {"model", "alias", "day"} and not name.startswith(_TAG):
            raise ApiError(
                f"Invalid 'group_by': '{name}' is none of model, alias, day and metadata.<key>.",
                code="invalid_value",
                param="group_by",
            )
    return list(dict.fromkeys(names))


def _value(name: str, reference: Reference) -> str | None:
    if name == "model":
        return reference.model
    if name == "alias":
        return reference.alias.partition("@")[0] if reference.alias else None
    if name == "day":
        return datetime.fromtimestamp(reference.created, UTC).strftime("%Y-%m-%d")
    return (reference.metadata or {}).get(name.removeprefix(_TAG))


def _is_of(wanted: Filter, reference: Reference) -> bool:
    """Whether the model that was asked for is the one that answered; any, where none was."""
    return wanted.model is None or wanted.model in reference.models


def _is_paid_for(wanted: Filter, asked: FirstAsked) -> bool:
    """Whether the answer that was not kept is one of the model that was asked for."""
    return wanted.model in {None, asked.model} and wanted.model_not != asked.model


def _captured(wanted: Filter, scan: Scan, *, newest_first: bool) -> Iterator[Reference]:
    """The references of the filter, and those of calls that its model was asked first and another one answered.

    The lists of a model have what it answered. What it was asked besides lies in those of aliases with a cascade.
    """
    if wanted.text is not None:
        raise ApiError("The usage cannot be asked for by 'text'.", code="invalid_value", param="text")
    everything = wanted.model_copy(update={"has_error": None}) if wanted.has_error is False else wanted
    yield from index.captured(everything, scan=scan, descending=newest_first)
    if wanted.model is None:
        return
    for alias in [wanted.alias] if wanted.alias else history.with_cascades():
        if scan.exhausted:
            return
        by_alias = everything.model_copy(update={"model": None, "alias": alias})
        found = index.captured(by_alias, scan=scan, descending=newest_first)
        yield from (reference for reference in found if reference.first_asked and not _is_of(wanted, reference))


def _whole(name: str) -> int | None:
    text = http.query_of(router, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST)) and 1 <= int(text) <= _MOST):
        raise ApiError(f"Invalid '{name}': use 1 to {_MOST}.", code="invalid_value", param=name)
    return int(text)


def _price_as() -> str | None:
    """The model whose prices are asked for besides. Raises ApiError where no list has any."""
    model = http.query_of(router, "price_as") or None
    if model and not prices.is_priced(model):
        raise ApiError(
            f"Invalid 'price_as': no price is known of '{model[:256]}'.", code="invalid_value", param="price_as"
        )
    return model


def _quantiles(latencies: array[int]) -> Latencies | None:
    """By nearest rank; None where no latency is known."""
    if not latencies:
        return None
    ordered = sorted(latencies)
    return Latencies(**{name: nearest_rank(ordered, share) for name, share in _QUANTILES.items()})
