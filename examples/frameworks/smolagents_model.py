# /// script
# requires-python = ">=3.11"
# dependencies = ["smolagents[openai]==1.26.0"]
# ///
"""Smolagents."""

import os

from smolagents import ChatMessage, MessageRole, OpenAIModel

model = OpenAIModel(
    model_id="lab-large",
    api_base=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    store=True,
    metadata={"feature": "triage"},
)
print(model.generate([ChatMessage(role=MessageRole.USER, content="My parcel has not arrived.")]).content)
