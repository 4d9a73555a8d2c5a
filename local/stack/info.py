"""`.local/stack.json`: what a running stack tells its users. Written whole or not at all."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class StackInfo:
    """The addresses of a running stack, and what it was made from.

    `resources` holds the stack's outputs and, under their logical ids, its resources; `sources` is the
    fingerprint of what was deployed, `processes` of the code that runs outside the functions.
    """

    api_url: str
    gateway_url: str
    api_key: str
    endpoint_url: str
    lab_url: str
    fakes_url: str
    pages_url: str
    notifications: str
    region: str
    resources: dict[str, str]
    stack_name: str
    pid: int
    sources: str
    processes: str


def write_info(path: Path, info: StackInfo) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    # The file holds a key: nobody else on the machine reads it.
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(info), indent=2) + "\n")
    draft.replace(path)


def exports(info: StackInfo) -> list[str]:
    """The lines that tell a shell where the stack is, under the names that the wrappers and the examples read."""
    variables = {
        "STILLHOUSE_BASE_URL": info.api_url,
        "STILLHOUSE_GATEWAY_URL": info.gateway_url,
        "STILLHOUSE_API_KEY": info.api_key,
        "LAB_URL": info.lab_url,
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def read_info(path: Path) -> StackInfo | None:
    """None where there is no stack, or where the file is another version's."""
    try:
        return StackInfo(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
