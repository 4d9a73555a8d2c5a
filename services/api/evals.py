"""Evals: create, list, retrieve, update, delete. Shapes: OpenAI's, `/v1/evals`."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Any
from uuid import uuid4

import orjson
from pydantic import Field

from api import retried
from api.judges import take_judges
from api.needed import refuse_while_needed
from api.runs import cancel_open_runs
from completions.completion import Metadata
from evals.eval import CustomConfig, Eval, StoredConfig
from foundation import http
from foundation.document import Body
from foundation.errors import ApiError, TooLarge
from foundation.ids import now
from foundation.routes import PAGE, Query, Routes
from graders import Criterion
from rollouts.in_use import refuse_eval_in_rollout

router = Routes("Evals")
_ORDER_BY = Query("order_by", "Which time orders the list.", {"type": "string", "enum": ["created_at", "updated_at"]})
# An item of the table ends at 400 KB.
_MOST_BYTES = 350_000


class NewEval(Body):
    """What a caller sends."""

    name: str = ""
    data_source_config: Annotated[CustomConfig | StoredConfig, Field(discriminator="type")]
    testing_criteria: list[Criterion] = Field(min_length=1)
    metadata: Metadata | None = None


class EvalChanges(Body):
    """What may be changed; absent stays, and null empties the metadata."""

    name: str | None = None
    metadata: Metadata | None = None


@router.post("/v1/evals", scope="write", status=201, answer=Eval, errors={404: "A grader's model does not exist."})
def create_eval(asked: NewEval) -> dict[str, Any]:
    """Create an eval: what is asked of an answer, and the shape of the rows."""
    eval_id, at = retried.object_id(router, "eval_"), now()
    ids: set[str] = set()
    for position, criterion in enumerate(asked.testing_criteria):
        criterion.id = criterion.id or f"{criterion.name}-{uuid4()}"
        if criterion.id in ids:
            raise ApiError(
                f"Another criterion has the id '{criterion.id}': give each its own, or none.",
                code="invalid_value",
                param=f"testing_criteria[{position}].id",
            )
        ids.add(criterion.id)
        take_judges(criterion, param=f"testing_criteria[{position}]")
    eval_ = Eval(
        id=eval_id,
        created_at=at,
        updated_at=at,
        name=asked.name or eval_id,
        data_source_config=_with_schema(asked.data_source_config),
        testing_criteria=asked.testing_criteria,
        metadata=asked.metadata,
    )
    if len(orjson.dumps(shown(eval_))) > _MOST_BYTES:
        raise TooLarge(f"An eval has at most {_MOST_BYTES} bytes of JSON.", code="eval_too_large")
    if not eval_.create():
        eval_ = Eval.load(eval_id)
    return shown(eval_)


@router.get("/v1/evals/<eval_id>", scope="read", answer=Eval)
def retrieve_eval(eval_id: str) -> dict[str, Any]:
    """Retrieve an eval."""
    return shown(Eval.load(eval_id, param="eval_id"))


@router.post("/v1/evals/<eval_id>", scope="write", answer=Eval)
def update_eval(eval_id: str, asked: EvalChanges) -> dict[str, Any]:
    """Change an eval's name or metadata."""
    eval_ = Eval.load(eval_id, param="eval_id")
    changes = asked.model_dump(exclude_unset=True)
    if changes.get("name", "") is None:
        del changes["name"]
    eval_.change({**changes, "updated_at": now()})
    return shown(Eval.load(eval_id, param="eval_id"))


@router.delete(
    "/v1/evals/<eval_id>",
    scope="write",
    answer="openai.types.EvalDeleteResponse",
    errors={409: "An open distillation or rollout needs this eval."},
)
def delete_eval(eval_id: str) -> dict[str, Any]:
    """Delete an eval.

    Its open runs are canceled. Runs that have ended are kept, since verdicts rest on them, but answered no longer.
    """
    eval_ = Eval.load(eval_id, param="eval_id")
    refuse_while_needed(lambda distillation: distillation.eval_id == eval_id, f"the eval {eval_id}", "eval_in_use")
    refuse_eval_in_rollout(eval_id)
    cancel_open_runs(eval_id)
    eval_.remove()
    # Those that were made while the first ones ended.
    cancel_open_runs(eval_id)
    return {"object": "eval.deleted", "deleted": True, "eval_id": eval_id}


@router.get("/v1/evals", scope="read", lists=Eval, query=(*PAGE, _ORDER_BY))
def list_evals() -> dict[str, Any]:
    """List evals."""
    order_by = http.query_of(router, "order_by") or "created_at"
    if order_by == "created_at":
        return http.list_of(router, Eval, shown)
    if order_by != "updated_at":
        raise ApiError("Invalid 'order_by': use created_at or updated_at.", code="invalid_value", param="order_by")
    # The table knows one order only; evals are few.
    every = sorted(Eval.every(), key=attrgetter("updated_at", "id"), reverse=http.descending(router))
    return http.page_of(router, every, shown)


def shown(eval_: Eval) -> dict[str, Any]:
    return eval_.model_dump(mode="json", exclude={"updated_at"})


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
