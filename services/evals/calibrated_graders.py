"""Find the grader that a calibration names, and convert people's answers to that grader's scale.

In: an eval, a grader's name, a person's answer about a row. Out: the grader, and the answer in the form in which it is
compared: a label, or pass or fail. An answer that the grader's scale does not have raises ValueError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import orjson

from evals.eval import Eval
from foundation.errors import ApiError
from foundation.ids import derived_id
from graders.grade import GraderModel, Scale
from graders.judging import JudgeModel

PASS, FAIL = "pass", "fail"
type Compared = Literal["label", "passed"]
"""Which of a criterion's answers are compared with people's: its label, or whether the row passes."""
type Human = bool | int | float | str


class NamedGrader(NamedTuple):
    """A criterion, or a part of a `multi`, under the name by which a calibration asks for it."""

    name: str
    criterion_id: str
    part: str | None
    grader: GraderModel

    @property
    def key(self) -> str:
        """The criterion's id, which no other criterion has where its name may not be unique."""
        return self.criterion_id if self.part is None else f"{self.criterion_id}.{self.part}"

    @property
    def rubric(self) -> str:
        """A hash of everything that decides how the grader is asked and read. Its name is no part of it."""
        definition = self.grader.model_dump(mode="json", exclude={"id", "name"})
        text = orjson.dumps(definition, option=orjson.OPT_SORT_KEYS).decode()
        return derived_id("rubric_", text, self.grader.wording())


def graders_of(eval_: Eval) -> Iterator[NamedGrader]:
    """Every criterion of an eval, and the parts of those that have some as `<criterion>.<part>`."""
    for criterion in eval_.testing_criteria:
        yield NamedGrader(criterion.name, criterion.id, None, criterion)
        for part, grader in criterion.parts().items():
            yield NamedGrader(f"{criterion.name}.{part}", criterion.id, part, grader)


def judges_of(eval_: Eval) -> list[NamedGrader]:
    """The graders of an eval that are judge models."""
    return [grader for grader in graders_of(eval_) if isinstance(grader.grader, JudgeModel)]


def grader_to_calibrate(eval_: Eval, name: str | None) -> NamedGrader:
    """The grader of this name or id; without a name the eval's only judge. Raises ApiError unless there is one."""
    candidates = judges_of(eval_) if name is None else list(graders_of(eval_))
    named = [grader for grader in candidates if name is None or name in {grader.name, grader.key}]
    if len(named) == 1:
        return named[0]
    names = ", ".join(grader.name for grader in named or candidates)
    message = f"'criterion' names {len(named)} criteria of this eval; name one of: {names or 'it has no judge'}."
    raise ApiError(message, code="ambiguous_criterion" if named else "no_such_criterion", param="criterion")


def vote(scale: Scale, human: Human) -> str:
    """One person's answer as the card counts it: a label, or pass or fail. Raises ValueError if it is neither."""
    if isinstance(human, bool):
        return PASS if human else FAIL
    if isinstance(human, str):
        if human not in scale.labels:
            labels = list(scale.labels)
            raise ValueError(f"one of {labels}, or true or false" if labels else "true or false, or a score")
        return human
    if scale.pass_threshold is None:
        raise ValueError("no score: this criterion has no pass_threshold to hold it against")
    return PASS if human >= scale.pass_threshold else FAIL
