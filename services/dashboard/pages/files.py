"""The style sheet and the script, which are the same for everybody."""

from __future__ import annotations

from pathlib import Path

from dashboard.answers import File
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Routes

pages = Routes("Files")
_FOLDER = Path(__file__).parent.parent / "static"
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@pages.get("/static/<name>", scope=None)
def file(visit: Visit) -> File:
    """A file by its name. Only the names that the folder has are files: no path leads out of it."""
    name = visit.parameters["name"]
    for path in _FOLDER.iterdir():
        if path.name == name and path.suffix in _MEDIA:
            return File(path.read_bytes(), _MEDIA[path.suffix])
    raise ApiError("There is no such file.", code="not_found", status=404)
