# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# ///
"""OpenAI Agents SDK."""

import os

from agents import Agent, ModelSettings, OpenAIProvider, RunConfig, Runner

provider = OpenAIProvider(base_url=os.environ["STILLHOUSE_GATEWAY_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
agent = Agent(
    name="Triage",
    instructions="Which queue is this mail for?",
    model="lab-large",
    model_settings=ModelSettings(store=True, metadata={"feature": "triage"}),
)
config = RunConfig(model_provider=provider, tracing_disabled=True)
print(Runner.run_sync(agent, "My parcel has not arrived.", run_config=config).final_output)
