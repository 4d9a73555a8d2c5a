"""The base of documents: frozen, and their schema says what each field means."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from foundation.document import Document


class Measured(Document):
    """A measured share."""

    rate: float
    """From 0 to 1."""


def test_the_text_below_a_field_is_its_description_in_the_schema() -> None:
    assert Measured.model_json_schema()["properties"]["rate"]["description"] == "From 0 to 1."


def test_a_document_does_not_change() -> None:
    with pytest.raises(ValidationError):
        Measured(rate=0.5).rate = 1.0  # type: ignore[misc]
