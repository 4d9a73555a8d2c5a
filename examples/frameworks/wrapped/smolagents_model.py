# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "smolagents[openai]==1.26.0"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""Smolagents with a wrapped client."""

from openai import OpenAI
from smolagents import ChatMessage, MessageRole, OpenAIModel

from stillhouse import capture

client = capture(OpenAI(), store=True, metadata={"feature": "triage"})
model = OpenAIModel(model_id="lab-large", client=client)
print(model.generate([ChatMessage(role=MessageRole.USER, content="My parcel has not arrived.")]).content)
client.stillhouse.flush()
