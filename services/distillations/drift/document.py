"""How the traffic of an alias stands to what its model learnt from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from aliases.alias import When
from distillations.report.comparison import FieldComparison, ShareChange
from foundation.bounds import CutText
from foundation.document import Document

type DriftStatus = Literal["unwatched", "waiting", "too_little", "steady", "drifted"]


class FieldDrift(Document):
    """One field of the traffic beside the same field of the training set."""

    comparison: FieldComparison
    """The traffic, which comes first, beside the lines that train. It differs where the traffic is more than chance
    away both from what trains and from what was selected for training; its p-value is the larger one of both."""
    shares: list[ShareChange]
    """The values with their shares of the traffic (`share`) and of what trains (`other_share`), the one that has
    changed most first; at most 20."""
    since: int | None
    """When a look first found that it drifts, in seconds since the epoch; null where it does not."""
    told_psi: float | None = None
    """Its index when people were told of it; null before."""
    quiet: int = 0
    """How many looks in a row have found nothing of it any more; with the third it has ended."""


class Newcomer(Document):
    """A value that was rare in the training set, or not there at all, and is common in the traffic."""

    field: str
    value: str
    share: float
    """Of the traffic, from 0 to 1."""
    other_share: float
    """Of what trains."""
    examples: list[str]
    """The ids of the newest completions that have it, at most five. What they say is read where somebody asks."""


class NextDistillation(Document):
    """The next distillation, filled in: that of the model again, with the alias's recent traffic."""

    body: dict[str, Any]
    """As POST /v1/distillations takes it."""
    teacher_answers: int
    """How many completions of the window that were looked at have the teacher's answer. Only these can train."""
    lacks: CutText | None
    """Why it cannot be started as it is, and what to do; null where it can."""
    url: str
    """The dashboard's form, filled in."""
    command: str
    """What starts it in a terminal."""


class DriftLook(Document):
    """One look, in short."""

    at: int
    """Seconds since the epoch."""
    status: DriftStatus
    rows: int
    """The completions that were looked at."""
    field: str | None = None
    """The field that is furthest away."""
    psi: float | None = None
    psi_noise_95: float | None = None
    drifted: list[str] = Field(default_factory=list)
    """The fields that drift."""


class TrafficDrift(Document):
    """The newest look at the traffic that the targets of an alias share."""

    id: str
    """The alias's name."""
    when: When = Field(default_factory=dict)
    """The metadata that a call of this traffic has; empty for all calls that no other slice takes."""
    status: DriftStatus
    """`unwatched` where no model that was trained on a dataset answers for it, `waiting` before the first look,
    `too_little` where the traffic does not suffice to tell, `steady` where no drift was found, `drifted`."""
    sentence: CutText
    """The same in words."""
    model: str | None = None
    """The trained model that answers most calls."""
    dataset_id: str | None = None
    """What it learnt from."""
    distillation_id: str | None = None
    looked_at: int | None = None
    """Seconds since the epoch."""
    looks: int = 0
    """The looks at this alias and dataset that had enough traffic, of which there is one a day."""
    alpha: float | None = None
    """The chance that this look finds a drift where there is none; those of all looks add up to 0.02 at most."""
    begins_at: int | None = None
    """The traffic that was looked at is from then on, in seconds since the epoch."""
    ends_at: int | None = None
    rows: int = 0
    """The completions that were looked at; at most 2,000."""
    conversations: int = 0
    """How many of them say something by themselves: the turns of one conversation count once."""
    since: int | None = None
    """When a look first found the drift; null where there is none."""
    told_at: int | None = None
    """The look after which people were told of it last; null where they were not since it began."""
    fields: list[FieldDrift] = Field(default_factory=list)
    """What was compared, the field that has moved most first."""
    newcomers: list[Newcomer] = Field(default_factory=list)
    concerns: list[CutText] = Field(default_factory=list)
    """What has moved, in sentences."""
    next: NextDistillation | None = None
    """Null unless it drifts."""
    history: list[DriftLook] = Field(default_factory=list)
    """The last looks, the newest first; at most 90."""

    @property
    def named(self) -> str:
        """The traffic in words."""
        pairs = ", ".join(f"{key}={value}" for key, value in self.when.items())
        return f"the alias {self.id} with {pairs}" if pairs else f"the alias {self.id}"

    @property
    def drifted(self) -> list[FieldDrift]:
        """The fields that drift."""
        return [field for field in self.fields if field.since is not None]


class AliasDrift(TrafficDrift):
    """The newest looks at the traffic of an alias."""

    object: Literal["alias.drift"] = "alias.drift"
    slices: list[TrafficDrift] = Field(default_factory=list)
    """Of the other slices (`when`) of the alias that a trained model answers: each is watched by itself, with a chance
    of a false alarm of its own."""
    left_out: list[str] = Field(default_factory=list)
    """The metadata keys that are not compared, since they change by nature, such as a release or a date."""

    @property
    def whole(self) -> list[TrafficDrift]:
        """All traffic that is watched."""
        return [self, *self.slices]
