"""`recorded`: a criterion whose grades come with the rows' samples, from another system.

Rows of an imported run have the grades that each sample got elsewhere, as `sample.grades: [{name, passed, score,
sample?}]`; `name` is the criterion's id or name. A criterion of this type is for grades that cannot be made again here,
because the judge is gone or the grader's type is unknown. A row without such a grade raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal

from graders.grade import Grade, GraderModel, Models, NotGradable, Scale


class Recorded(GraderModel):
    """`definition` is the criterion as the other system defined it."""

    type: Literal["recorded"]
    definition: dict[str, Any] | None = None

    def scale(self) -> Scale:
        """The kind of answer, as far as the other system's definition says it."""
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
    """The grade that came with the sample for this criterion, found by its id, else by its name; None without one."""
    grades = {grade["name"]: grade for grade in sample.get("grades") or []}
    recorded = grades.get(criterion.id) or grades.get(criterion.name)
    if recorded is None:
        return None
    rests_on = recorded.get("sample")
    if rests_on and not rests_on.get("error"):
        # OpenAI writes `"error": null` if there was no error.
        rests_on = {name: value for name, value in rests_on.items() if name != "error"}
    return Grade(passed=recorded["passed"], score=recorded["score"], sample=rests_on)
