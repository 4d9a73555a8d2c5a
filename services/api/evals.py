"""Evals: create, retrieve, list. Shapes: OpenAI's, `/v1/evals`."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, Field

from api import retried
from api.models import require_model
from foundation import http
from foundation.completions import Metadata
from foundation.evals import CustomConfig, Eval, StoredConfig
from foundation.graders import Criterion
from foundation.ids import now

router = APIGatewayHttpRouter()
_CREATED = 201


class NewEval(BaseModel):
    """What a caller sends."""

    name: str = ""
    data_source_config: Annotated[CustomConfig | StoredConfig, Field(discriminator="type")]
    testing_criteria: list[Criterion] = Field(min_length=1)
    metadata: Metadata | None = None


@router.post("/v1/evals")
def create_eval() -> Response[Any]:
    asked = http.body_of(router, NewEval)
    for position, criterion in enumerate(asked.testing_criteria):
        criterion.id = criterion.id or f"{criterion.name}-{uuid4()}"
        if hasattr(criterion, "model"):
            require_model(criterion.model, param=f"testing_criteria[{position}].model")
    eval_id = retried.object_id(router, "eval_")
    eval_ = Eval(
        id=eval_id,
        created_at=now(),
        name=asked.name or eval_id,
        data_source_config=_with_schema(asked.data_source_config),
        testing_criteria=asked.testing_criteria,
        metadata=asked.metadata,
    )
    if not eval_.create():
        eval_ = Eval.load(eval_id)
    return http.answer(shown(eval_), _CREATED)


@router.get("/v1/evals/<eval_id>")
def retrieve_eval(eval_id: str) -> dict[str, Any]:
    return shown(Eval.load(eval_id, param="eval_id"))


@router.get("/v1/evals")
def list_evals() -> dict[str, Any]:
    page = Eval.page(
        after=http.query_of(router, "after"),
        limit=http.limit_of(router),
        descending=http.descending(router),
    )
    return http.listed([shown(one) for one in page.data], has_more=page.has_more)


def shown(eval_: Eval) -> dict[str, Any]:
    return eval_.model_dump(mode="json")


def _with_schema(config: CustomConfig | StoredConfig) -> dict[str, Any]:
    """The configuration as the API answers it: with the schema of its rows."""
    answer: dict[str, Any] = {"type": config.type}
    item: dict[str, Any] = {"type": "object"}
    required = ["item"]
    if isinstance(config, CustomConfig):
        item = config.item_schema
        samples = config.include_sample_schema
    else:
        answer["metadata"] = config.metadata
        samples = True
    properties: dict[str, Any] = {"item": item}
    if samples:
        properties["sample"] = {"type": "object"}
        required.append("sample")
    return {**answer, "schema": {"type": "object", "properties": properties, "required": required}}
