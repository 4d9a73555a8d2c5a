"""What is written from the code: the API's OpenAPI document, the pages of the reference, the schema of a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import capture.handler
import gateway.handler
from api.routes import every_router
from distillations.verdict import Verdict
from local.reference.describe import document
from local.reference.pages import Reference

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "services" / "api" / "openapi.json"
PAGES = ROOT / "docs" / "reference"
EXAMPLES = PAGES / "examples.json"
VERDICT = PAGES / "verdict.schema.json"


def written() -> dict[Path, str]:
    """The content of every file, by its path."""
    routers = [*every_router(), capture.handler.routes, *gateway.handler.ROUTES]
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8")) if EXAMPLES.exists() else {}
    described = document([route for routes in routers for route in routes.declared], examples)
    pages = {PAGES / name: text for name, text in Reference(described).pages().items()}
    return {DOCUMENT: _json(described), VERDICT: _json(verdict_schema()), **pages}


def verdict_schema() -> dict[str, Any]:
    """The JSON schema of a verdict as it is sent."""
    schema = Verdict.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Write them all, and remove the pages of resources that are no more."""
    files = written()
    PAGES.mkdir(parents=True, exist_ok=True)
    for page in PAGES.glob("*.md"):
        if page not in files:
            page.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
