"""What users of Stillhouse install: `capture`, which wraps an OpenAI client, and the `stillhouse` command."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillhouse.capturing import capture

__all__ = ["capture"]


def __getattr__(name: str) -> Any:
    # The command imports this package too, and must not wait for the openai SDK to load.
    if name == "capture":
        from stillhouse.capturing import capture

        return capture
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
