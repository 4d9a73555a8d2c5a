# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[openai]==2.68.0"]
# ///
"""Pydantic AI."""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=os.environ["STILLHOUSE_GATEWAY_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
agent = Agent(
    OpenAIResponsesModel("lab-large", provider=provider),
    instructions="Which queue is this mail for?",
    model_settings=OpenAIResponsesModelSettings(openai_store=True, extra_body={"metadata": {"feature": "triage"}}),
)
print(agent.run_sync("My parcel has not arrived.").output)
