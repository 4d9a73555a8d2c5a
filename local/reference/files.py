"""What is written from the routes: the OpenAPI document that the API answers, and the pages of the reference."""

from __future__ import annotations

import json
from pathlib import Path

import capture.handler
import gateway.handler
from api.routes import every_router
from local.reference.describe import document
from local.reference.pages import Reference

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "services" / "api" / "openapi.json"
PAGES = ROOT / "docs" / "reference"
EXAMPLES = PAGES / "examples.json"


def written() -> dict[Path, str]:
    """The content of every file, by its path."""
    routers = [*every_router(), capture.handler.routes, *gateway.handler.ROUTES]
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8")) if EXAMPLES.exists() else {}
    described = document([route for routes in routers for route in routes.declared], examples)
    pages = {PAGES / name: text for name, text in Reference(described).pages().items()}
    return {DOCUMENT: json.dumps(described, indent=1, ensure_ascii=False) + "\n", **pages}


def write() -> None:
    """Write them all, and remove the pages of resources that are no more."""
    files = written()
    PAGES.mkdir(parents=True, exist_ok=True)
    for page in PAGES.glob("*.md"):
        if page not in files:
            page.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
