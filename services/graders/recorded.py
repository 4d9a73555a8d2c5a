"""`recorded`: a criterion that has only the grades that rows bring with their samples.

Rows of an imported run carry what was found about each sample elsewhere, as `sample.grades: [{name, passed, score,
sample?}]`, by the criterion's id or name. A criterion of this type holds those that nothing here can grade again: its
judge is gone, its type is unknown. A row without its grade raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal

from graders.grade import Grade, GraderModel, Models, NotGradable


class Recorded(GraderModel):
    """`definition` is the criterion as it was defined where its grades come from."""

    type: Literal["recorded"]
    definition: dict[str, Any] | None = None

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        found = recorded_grade(self, sample)
        if found is None:
            raise NotGradable(f"no grade of '{self.name}' came with this sample, and nothing here can grade it anew")
        return found


def recorded_grade(criterion: GraderModel, sample: dict[str, Any]) -> Grade | None:
    """The grade that came with the sample, by the criterion's id before its name."""
    grades = {grade["name"]: grade for grade in sample.get("grades") or []}
    found = grades.get(criterion.id) or grades.get(criterion.name)
    if found is None:
        return None
    rests_on = found.get("sample")
    if rests_on and not rests_on.get("error"):
        # OpenAI says `"error": null` where there was none.
        rests_on = {name: value for name, value in rests_on.items() if name != "error"}
    return Grade(passed=found["passed"], score=found["score"], sample=rests_on)


def asks_a_model(criterion: GraderModel) -> bool:
    """Whether grading costs a call: a judge, an embedding, or a `multi` with one of them."""
    parts = getattr(criterion, "graders", {}).values()
    own = getattr(criterion, "model", None) or getattr(criterion, "embedding_model", None)
    return bool(own) or any(asks_a_model(part) for part in parts)
