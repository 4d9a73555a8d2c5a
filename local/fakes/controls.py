"""What a test or a demo may ask of the fakes beside AWS's own calls: how long states last, faults, and events.

`POST /fakes/timing {"training": 2.5}` sets how many seconds a state lasts at least. `POST /fakes/faults {"operation",
"code", "times", "when"}` has the next calls of an operation fail: `before` anything happened, or `after` the work was
done, whose answer is then lost. `POST /fakes/events {"copies": 2}` has each event sent so many times, 0 for never.
`POST /fakes/bases {"amazon.nova-micro-v1:0": "lab-small"}` names the model of the lab that stands for a base.
`POST /fakes/capacity {"at_zero": true}` takes the instances of every endpoint away that may scale to zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from local.fakes.wire import AwsError

_NAMES = TypeAdapter(dict[str, str])


class Timing(BaseModel, extra="forbid"):
    """How many seconds each state lasts at least."""

    validation: Annotated[float, Field(ge=0)] = 0.5
    processing: Annotated[float, Field(ge=0)] = 0.5
    training: Annotated[float, Field(ge=0)] = 1.0
    stopping: Annotated[float, Field(ge=0)] = 0.5
    deployment: Annotated[float, Field(ge=0)] = 1.0
    deletion: Annotated[float, Field(ge=0)] = 0.0
    loading: Annotated[float, Field(ge=0)] = 0.0
    """How long an imported model answers `ModelNotReadyException` after its first call."""


class Fault(BaseModel, extra="forbid"):
    """Calls of an operation that fail, `times` times. `operation` is AWS's name, `*` is any."""

    operation: str
    code: str = "ThrottlingException"
    message: str = "A fault that a test has ordered."
    times: Annotated[int, Field(ge=1)] = 1
    when: Literal["before", "after"] = "before"


class Events(BaseModel, extra="forbid"):
    """How often each event is sent; AWS calls its delivery best effort."""

    copies: Annotated[int, Field(ge=0, le=5)] = 1


class Capacity(BaseModel, extra="forbid"):
    """Whether the endpoints that may scale to zero are at zero."""

    at_zero: bool


@dataclass
class Controls:
    """What is ordered at present."""

    timing: Timing = field(default_factory=Timing)
    events: Events = field(default_factory=Events)
    faults: list[Fault] = field(default_factory=list)
    bases: dict[str, str] = field(default_factory=dict)
    at_zero: bool = False
    calls: dict[str, int] = field(default_factory=dict)

    def order(self, what: str, document: dict[str, Any]) -> None:
        match what:
            case "timing":
                self.timing = self.timing.model_copy(
                    update=Timing.model_validate(document).model_dump(exclude_unset=True)
                )
            case "faults":
                self.faults.append(Fault.model_validate(document))
            case "events":
                self.events = Events.model_validate(document)
            case "bases":
                self.bases |= _NAMES.validate_python(document)
            case "capacity":
                self.at_zero = Capacity.model_validate(document).at_zero
            case _:
                raise LookupError(what)

    def count(self, operation: str) -> None:
        self.calls[operation] = self.calls.get(operation, 0) + 1

    def strike(self, operation: str, when: str) -> None:
        """Raise the fault that is ordered for this operation at this moment, if there is one."""
        for fault in self.faults:
            if fault.times and fault.when == when and fault.operation in {operation, "*"}:
                fault.times -= 1
                raise AwsError(fault.code, fault.message)
