# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "semantic-kernel==1.45.0"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""Semantic Kernel with a wrapped client."""

import asyncio

from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory

from stillhouse import capture

client = capture(AsyncOpenAI(), store=True, metadata={"feature": "triage"})
service = OpenAIChatCompletion(ai_model_id="lab-large", async_client=client)
history = ChatHistory()
history.add_user_message("My parcel has not arrived.")
print(asyncio.run(service.get_chat_message_content(history, OpenAIChatPromptExecutionSettings())))
client.stillhouse.flush()
