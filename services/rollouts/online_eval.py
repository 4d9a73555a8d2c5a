"""The eval that a rollout grades production by: those criteria of an eval that need nothing but request and answer.

In: an eval. Out: an eval of its own, whose id follows from the rollout, and the criteria that are left out, by name,
each with the reason. A row of production has `item.input`, `item.metadata` and `item.completion_id`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evals.eval import Eval
from foundation.errors import ApiError
from foundation.ids import derived_id, now
from graders import Criterion
from graders.grade import GraderModel
from graders.python import Python
from graders.recorded import Recorded
from graders.template import places
from rollouts.rollout import LeftOut

_HAS = frozenset({"input", "metadata", "completion_id"})
_REFERENCE = "reference"


def online_eval(rollout_id: str, eval_: Eval, *, param: str) -> tuple[Eval, list[LeftOut]]:
    """The eval, which is not written yet, and what is left out of it.

    Raises ApiError about the field that named the eval where no criterion is left.
    """
    needs = {criterion.id: _needs(criterion) for criterion in eval_.testing_criteria}
    kept = [criterion for criterion in eval_.testing_criteria if not needs[criterion.id]]
    left_out = [
        LeftOut(name=criterion.name, why=needs[criterion.id])
        for criterion in eval_.testing_criteria
        if needs[criterion.id]
    ]
    if not kept:
        names = ", ".join(f"'{criterion.name}' needs {criterion.why}" for criterion in left_out[:5])
        raise ApiError(
            f"Invalid '{param}': no criterion of the eval {eval_.id} can grade production, where nobody knows the "
            f"right answer: {names}. Name an eval with a judge, a schema or another check of the answer alone.",
            code="needs_reference",
            param=param,
        )
    made = Eval(
        id=derived_id("eval_", rollout_id, "online"),
        created_at=now(),
        updated_at=now(),
        name=f"{eval_.name} (online)",
        data_source_config={"type": "custom", "schema": {"type": "object"}},
        testing_criteria=kept,
        metadata={"rollout_id": rollout_id},
    )
    return made, left_out


def _needs(criterion: Criterion) -> str:
    """What a criterion needs that production has not; empty where it needs nothing."""
    return next(_needs_of(criterion), "")


def _needs_of(grader: GraderModel) -> Iterator[str]:
    if isinstance(grader, Recorded):
        yield "grades that come with the rows"
    if isinstance(grader, Python) and _speaks_of_a_reference(grader.source):
        yield "a reference, of which its source speaks"
    definition = [{"content": grader.model_dump(mode="json", exclude={"source"})}]
    steps = (path.split(".") for path in places(definition))
    for step in steps:
        field = step[1].partition("[")[0] if step[0] == "item" and len(step) > 1 else "input"
        if field not in _HAS:
            yield f"item.{field}"
    for part in grader.parts().values():
        yield from _needs_of(part)


def _speaks_of_a_reference(source: str) -> bool:
    """Whether a source names the reference of an item, as a key or an attribute."""
    nodes = ast.walk(ast.parse(source))
    return any(
        (isinstance(node, ast.Constant) and node.value == _REFERENCE)
        or (isinstance(node, ast.Attribute) and node.attr == _REFERENCE)
        for node in nodes
    )
