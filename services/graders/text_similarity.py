"""`text_similarity`: how alike two rendered texts are, by the metric that the definition names.

The score passes at `pass_threshold` and above. The result's sample names the metric's definition and version: only
scores with the same ones can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from graders.grade import Grade, GraderModel, Models, Scale, TooLarge
from graders.metrics import METRICS
from graders.metrics.cosine import cosine
from graders.template import render

_MOST_LETTERS = 1_000_000
"""The most letters of each text. Metrics that take more time than reading the texts have bounds of their own."""
_EMBEDDING_MODEL = "text-embedding-3-large"


class TextSimilarity(GraderModel):
    """`embedding_model` is for the metric `cosine` only."""

    type: Literal["text_similarity"]
    input: str
    reference: str
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
        "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
    ]  # fmt: skip
    pass_threshold: float = Field(ge=0, le=1)
    embedding_model: str | None = Field(default=None, min_length=1)

    @field_validator("evaluation_metric")
    @classmethod
    def _is_at_hand(cls, metric: str) -> str:
        if metric == "meteor":
            raise ValueError("meteor needs the WordNet corpus, which is not part of this service; use rouge_l or gleu")
        return metric

    @model_validator(mode="after")
    def _has_its_model(self) -> Self:
        if self.evaluation_metric == "cosine":
            self.embedding_model = self.embedding_model or _EMBEDDING_MODEL
        elif self.embedding_model:
            raise ValueError("embedding_model goes with evaluation_metric 'cosine' only")
        return self

    def models(self) -> Iterator[tuple[str, str]]:
        if self.embedding_model:
            yield "embedding_model", self.embedding_model

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        namespaces = {"item": item, "sample": sample}
        text, reference = render(self.input, namespaces), render(self.reference, namespaces)
        if self.embedding_model:
            score, version = await cosine(text, reference, model=self.embedding_model, models=models)
            definition = "cosine of the embeddings of both texts"
        else:
            longest = max(len(text), len(reference))
            if longest > _MOST_LETTERS:
                raise TooLarge(f"a text has {longest} letters; {self.evaluation_metric} takes at most {_MOST_LETTERS}")
            metric = METRICS[self.evaluation_metric]
            score, version, definition = metric.score(text, reference), metric.version(), metric.definition
        stamp = {"metric": self.evaluation_metric, "definition": definition, "version": version}
        return Grade(passed=score >= self.pass_threshold, score=score, sample=stamp)
