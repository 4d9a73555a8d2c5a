# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "openai-agents==0.24.0"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""OpenAI Agents SDK with a wrapped client."""

from agents import Agent, OpenAIProvider, RunConfig, Runner
from openai import AsyncOpenAI

from stillhouse import capture

client = capture(AsyncOpenAI(), store=True, metadata={"feature": "triage"})
config = RunConfig(model_provider=OpenAIProvider(openai_client=client, use_responses=False), tracing_disabled=True)
agent = Agent(name="Triage", instructions="Which queue is this mail for?", model="lab-large")
print(Runner.run_sync(agent, "My parcel has not arrived.", run_config=config).final_output)
client.stillhouse.flush()
