# /// script
# requires-python = ">=3.11"
# dependencies = ["crewai==1.15.30"]
# ///
"""CrewAI."""

import os

from crewai import LLM, Agent

llm = LLM(
    model="lab-large",
    provider="openai",
    base_url=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    additional_params={"store": True, "metadata": {"feature": "triage"}},
)
agent = Agent(role="Triage", goal="Find the queue of a mail.", backstory="You know the queues.", llm=llm)
print(agent.kickoff("My parcel has not arrived.").raw)
