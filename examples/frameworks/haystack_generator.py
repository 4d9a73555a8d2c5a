# /// script
# requires-python = ">=3.11"
# dependencies = ["haystack-ai==3.4.1"]
# ///
"""Haystack."""

import os

from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret

generator = OpenAIChatGenerator(
    model="lab-large",
    api_base_url=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=Secret.from_env_var("STILLHOUSE_API_KEY"),
    generation_kwargs={"store": True, "metadata": {"feature": "triage"}},
)
print(generator.run([ChatMessage.from_user("My parcel has not arrived.")])["replies"][0].text)
