"""`recorded`: a criterion that has only the grades that rows bring with their samples.

Rows of an imported run carry what was found about each sample elsewhere, as `sample.grades: [{name, passed, score,
sample?}]`, by the criterion's id or name. A criterion of this type holds those that nothing here can grade again: its
judge is gone, its type is unknown. A row without its grade raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal

from graders.grade import Grade, GraderModel, Models, NotGradable, Scale


class Recorded(GraderModel):
    """`definition` is the criterion as it was defined where its grades come from."""

    type: Literal["recorded"]
    definition: dict[str, Any] | None = None

    def scale(self) -> Scale:
        """By the definition that came with the grades, as far as it says it."""
        definition = self.definition or {}
        labels, passing = definition.get("labels"), definition.get("passing_labels")
        threshold, judge = definition.get("pass_threshold"), definition.get("model")
        return Scale(
            labels=labels if isinstance(labels, list) else [],
            passing_labels=passing if isinstance(passing, list) else [],
            pass_threshold=threshold if isinstance(threshold, int | float) else None,
            judge=judge if isinstance(judge, str) else None,
        )

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:  # noqa: ARG002
        grade = recorded_grade(self, sample)
        if grade is None:
            raise NotGradable(f"no grade of '{self.name}' came with this sample, and nothing here can grade it anew")
        return grade


def recorded_grade(criterion: GraderModel, sample: dict[str, Any]) -> Grade | None:
    """The grade that came with the sample, by the criterion's id before its name."""
    grades = {grade["name"]: grade for grade in sample.get("grades") or []}
    recorded = grades.get(criterion.id) or grades.get(criterion.name)
    if recorded is None:
        return None
    rests_on = recorded.get("sample")
    if rests_on and not rests_on.get("error"):
        # OpenAI says `"error": null` where there was none.
        rests_on = {name: value for name, value in rests_on.items() if name != "error"}
    return Grade(passed=recorded["passed"], score=recorded["score"], sample=rests_on)
