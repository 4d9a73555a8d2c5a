# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "pydantic-ai-slim[openai]==2.68.0"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""Pydantic AI with a wrapped client."""

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from stillhouse import capture

client = capture(AsyncOpenAI(), store=True, metadata={"feature": "triage"})
agent = Agent(OpenAIChatModel("lab-large", provider=OpenAIProvider(openai_client=client)))
print(agent.run_sync("My parcel has not arrived.").output)
client.stillhouse.flush()
