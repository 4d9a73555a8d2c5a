# /// script
# requires-python = ">=3.11"
# dependencies = ["semantic-kernel==1.45.0"]
# ///
"""Semantic Kernel."""

import asyncio
import os

from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory

client = AsyncOpenAI(base_url=os.environ["STILLHOUSE_GATEWAY_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
service = OpenAIChatCompletion(ai_model_id="lab-large", async_client=client)
settings = OpenAIChatPromptExecutionSettings(store=True, metadata={"feature": "triage"})
history = ChatHistory()
history.add_user_message("My parcel has not arrived.")
print(asyncio.run(service.get_chat_message_content(history, settings)))
