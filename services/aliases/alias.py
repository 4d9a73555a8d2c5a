"""An alias: a name that applications call, the models that answer for it, and the version in which it is.

Its row holds the current version; `history` keeps those before it. An alias that was deleted keeps its row, so that its
versions go on counting where somebody makes it again: a captured completion names the alias and the version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import MaxLen
from pydantic import ConfigDict, Field, ValidationError, model_validator

from foundation import table
from foundation.bounds import Name, Text, in_bytes
from foundation.consumer import logger
from foundation.document import Body
from foundation.records import Record

LONGEST_ALIAS = 64
MOST_ALIASES = 100
MOST_TARGETS = 20
MOST_CONDITIONS = 4
HEAVIEST = 1_000_000
ALIAS = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

type AliasName = Annotated[str, Field(pattern=ALIAS, max_length=LONGEST_ALIAS)]
"""What an alias is called. Without slashes and colons it is neither `provider/model` nor the name of a fine-tune."""
type TagName = Annotated[str, Field(min_length=1), MaxLen(64), in_bytes(64)]
"""A metadata key."""
type _TagValue = Annotated[str, MaxLen(512), in_bytes(512)]
type When = Annotated[dict[TagName, _TagValue], MaxLen(MOST_CONDITIONS)]
type PromoteOn = Literal["beats_baseline"]


type CascadeBy = Literal["logprob"]
"""What says how sure a target is of an answer: the mean log-probability of its tokens."""
# A mean below this says as little as no answer; OpenAI writes -9999 for a token that cannot be.
_LEAST_LOGPROB = -9999.0


class Cascade(Body):
    """Who answers what a target is not sure of."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    to: Name = Field(min_length=1)
    """The model that is asked then, such as the target's teacher."""
    by: CascadeBy
    """`logprob`: the mean log-probability of the answer's tokens, which the target is asked for besides."""
    threshold: float = Field(ge=_LEAST_LOGPROB, le=0, allow_inf_nan=False)
    """An answer this sure, or surer, is kept; 0 keeps what is certain alone. A verdict's `cascade` has one whose loss
    is promised."""


class Target(Body):
    """A model that answers a share of the calls."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    model: Name = Field(min_length=1)
    """Its name, as it is asked for without the alias."""
    weight: int = Field(default=1, ge=0, le=HEAVIEST, strict=True)
    """Its share, beside the weights of the other targets with the same `when`; 0 for none."""
    when: When = Field(default_factory=dict)
    """The metadata that a call must have. The first `when` of the list that a call meets decides: the targets with the
    same one share it. Those with an empty one share all other calls."""
    cascade: Cascade | None = None
    """Who answers what it is not sure of; null where it answers all of its calls."""

    @property
    def models(self) -> list[str]:
        """It, and who answers what it is not sure of."""
        return [self.model, *([self.cascade.to] if self.cascade else [])]

    @property
    def unjudged(self) -> str:
        """Who answers a call whose answer nobody can be sure of, such as an embedding."""
        return self.models[-1]


class StickyBy(Body):
    """What says that two calls belong together, so that the same target answers them."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=64)] | None = None
    """A header of the request, such as `x-session-id`; it comes before the metadata."""
    metadata: TagName | None = None
    """A key of the call's metadata, such as `customer`."""

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.header is None and self.metadata is None:
            raise ValueError("give a header or a key of the metadata, or leave sticky_by out")
        return self


class Routing(Body):
    """Which models answer for an alias, and which call goes to which."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    targets: Annotated[list[Target], Field(min_length=1, max_length=MOST_TARGETS)]
    """The models that answer, at least one of them without `when`."""
    sticky_by: StickyBy | None = None
    """What comes first to say which calls belong together. Then come the call's `user` or `safety_identifier`, and then
    its messages up to the user's first."""
    fallback: Annotated[Name, Field(min_length=1)] | None = None
    """The model that is asked where the provider of the chosen one is away."""
    promote_on: PromoteOn | None = None
    """With `beats_baseline`, a distillation that names the alias changes it by itself: its model then takes all calls
    without a `when` of their own."""

    @property
    def answering(self) -> list[str]:
        """Every model that may answer while its provider does."""
        return list(dict.fromkeys(model for target in self.targets for model in target.models))

    @property
    def models(self) -> list[str]:
        """Every model that may answer, the fallback too."""
        return list(dict.fromkeys([*self.answering, *filter(None, [self.fallback])]))

    @cached_property
    def groups(self) -> list[list[Target]]:
        """The targets by their `when`, in the order of the list; those without one come last."""
        groups: dict[tuple[tuple[str, str], ...], list[Target]] = {}
        for target in self.targets:
            groups.setdefault(tuple(sorted(target.when.items())), []).append(target)
        rest = groups.pop((), [])
        return [*groups.values(), rest] if rest else [*groups.values()]

    def group_of(self, metadata: Mapping[str, str]) -> Sequence[Target]:
        """The targets that share a call with this metadata."""
        return next((group for group in self.groups if group[0].when.items() <= metadata.items()), self.targets)

    @property
    def main(self) -> str:
        """The model that answers most calls: the heaviest target without `when`, the first of several.

        Of a cascade it is the one that answers what the target is not sure of: it teaches, and stands in for others.
        """
        return max(self.group_of({}), key=lambda target: target.weight).unjudged


class Alias(Record):
    """The current version of an alias; `id` is its name."""

    KIND: ClassVar[str] = "ALIAS"
    NAME: ClassVar[str] = "alias"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["alias"] = "alias"
    version: int
    """Counts its changes, from 1."""
    updated_at: int
    """When this version was made, in seconds since the epoch."""
    by: str
    """Who made it: the id of a key, or `verdict` where a verdict did."""
    why: Text | None = None
    verdict_id: str | None = None
    """The verdict behind it."""
    rolled_back_to: int | None = None
    """The version whose targets it took again; null where it is no rollback."""
    attempt: str = ""
    """The id of the request that made it, by which a retry of that request is known."""
    salt: str
    """With it the sides are chosen. It stays over all versions: who is in at 5% stays in at 25%."""
    deleted: bool = False
    targets: list[Target]
    sticky_by: StickyBy | None = None
    fallback: str | None = None
    promote_on: PromoteOn | None = None

    @cached_property
    def routing(self) -> Routing:
        """What this version says of its models. That of a deleted one has no targets, and is not checked."""
        named = {name: getattr(self, name) for name in Routing.model_fields}
        return Routing.model_construct(**named)

    @property
    def label(self) -> str:
        """The alias and its version, as a header says them."""
        return f"{self.id}@{self.version}"

    @classmethod
    def find(cls, record_id: str) -> Self | None:
        """The alias of this name that is not deleted, or None."""
        alias = super().find(record_id)
        return alias if alias and not alias.deleted else None

    @classmethod
    def find_any(cls, name: str) -> Self | None:
        """The alias of this name, deleted or not, or None."""
        return super().find(name)


def every_alias() -> Iterator[Alias]:
    """All aliases by name. One that this version cannot read is logged and left out: the others still answer."""
    for row in table.query(Alias.KIND):
        try:
            alias = Alias.from_row(row)
        except ValidationError as error:
            kinds = [finding["type"] for finding in error.errors(include_url=False, include_input=False)]
            logger().error("an alias cannot be read", extra={"alias": row["sk"], "wrong": kinds})
            continue
        if not alias.deleted:
            yield alias


def aliases_of(model: str) -> list[str]:
    """The aliases that a model answers for, as a target or as the fallback."""
    return [alias.id for alias in every_alias() if model in alias.routing.models]


def captured(label: Alias, target: str) -> dict[str, Any]:
    """What a captured completion keeps of the alias that it was asked by, and the target that was chosen."""
    return {"name": label.id, "version": label.version, "target": target}
