"""Models that answer what a test tells them, and graders applied to one row."""

import asyncio

from pydantic import TypeAdapter

from graders import Criterion
from isolation import run

criterion = TypeAdapter(Criterion).validate_python


class Models:
    """Say one thing, or one after another and then the last for ever; keep what they were asked."""

    def __init__(self, *says, embeddings=()):
        self.says = list(says[0]) if says and isinstance(says[0], list) else list(says)
        self.embeddings = embeddings
        self.asked = []

    async def complete(self, request):
        self.asked.append(request)
        says = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return {"choices": [{"message": {"content": says}}], "usage": {"total_tokens": 9}}

    async def embed(self, request):
        self.asked.append(request)
        data = [{"index": index, "embedding": embedding} for index, embedding in enumerate(self.embeddings)]
        return {"model": request["model"], "data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}}

    async def run_source(self, request):
        return run.grade(request)


def grade(definition, item, sample, models=None):
    return asyncio.run(criterion(definition).grade(item, sample, models or Models("")))
