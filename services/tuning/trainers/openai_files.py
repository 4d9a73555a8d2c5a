"""Training files at OpenAI, or at whoever has its Files API: uploaded, waited for where they are read first, deleted.

They are named by the intent and the split. A file of the same name twice is harmless: `forget` deletes all of them.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Literal

import openai
from openai import OpenAI
from openai.types import FileObject

from tuning.trainers.trainer import TrainerAway, TrainerRefused
from tuning.trainers.training_file import TrainingFile

_PURPOSE: Literal["fine-tune"] = "fine-tune"
# A server that says of no page that it is the last one would be read for ever.
_MOST_FILES = 20_000


class OpenAIFiles:
    """The files of one account. `wait` tells whether a file trains only once it is processed."""

    def __init__(self, client: OpenAI, *, wait: bool) -> None:
        self._client = client
        self._wait = wait

    def of(self, intent: str) -> list[FileObject]:
        """What was uploaded for an intent."""
        files = islice(self._client.files.list(purpose=_PURPOSE), _MOST_FILES)
        return [file for file in files if file.filename.startswith(f"{intent}-")]

    def ready(self, intent: str, split: str, file: TrainingFile) -> str:
        """The id of a file that may train: uploaded now, or by an earlier call. Raises TrainerAway while it may not."""
        name = f"{intent}-{split}.jsonl"
        if not self._wait:
            return self._upload(name, file).id
        known = next((known for known in self.of(intent) if known.filename == name), None)
        there = known or self._upload(name, file)
        if there.status == "error":
            raise TrainerRefused(f"The file {name} was not taken: {there.status_details}", "invalid_training_data")
        if there.status != "processed":
            raise TrainerAway(f"The file {name} is not processed yet.")
        return there.id

    def forget(self, intent: str) -> None:
        for file in self.of(intent):
            with suppress(openai.NotFoundError):
                self._client.files.delete(file.id)

    def _upload(self, name: str, file: TrainingFile) -> FileObject:
        with file.opened() as lines:
            return self._client.files.create(file=(name, lines, "application/jsonl"), purpose=_PURPOSE)
