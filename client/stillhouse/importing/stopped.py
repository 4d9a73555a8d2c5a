"""The one way in which an import ends early. It stands alone so that the command line starts without the openai SDK."""

from __future__ import annotations


class Stopped(Exception):
    """The import cannot go on. The message is one sentence for the user; the same command later continues it."""
