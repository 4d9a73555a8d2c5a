# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "haystack-ai==3.4.1"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""Haystack with a wrapped client."""

from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from openai import OpenAI

from stillhouse import capture

generator = OpenAIChatGenerator(model="lab-large")
generator.client = client = capture(OpenAI(), store=True, metadata={"feature": "triage"})
print(generator.run([ChatMessage.from_user("My parcel has not arrived.")])["replies"][0].text)
client.stillhouse.flush()
