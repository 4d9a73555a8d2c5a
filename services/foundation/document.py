"""The base of the documents that people and other code read: a comparison, a judge card, a verdict.

A document is a frozen pydantic model. The text below each of its fields says what the field means and in which unit,
and becomes the field's description in the document's JSON schema.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A typed document. Its validator is built when it is first used, so that no cold start pays for it."""

    model_config = ConfigDict(frozen=True, defer_build=True, use_attribute_docstrings=True)


class Body(BaseModel):
    """A request's body. Unknown fields are refused: to ignore a misspelt condition would widen the request's scope."""

    model_config = ConfigDict(extra="forbid")


class Deleted(Document):
    """The answer to a deletion."""

    id: str
    object: str
    """The kind of the deleted object with `.deleted`, such as `filter.deleted`."""
    deleted: Literal[True] = True
