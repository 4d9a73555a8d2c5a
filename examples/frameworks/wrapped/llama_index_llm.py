# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "llama-index-llms-openai-like==0.8.1"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""LlamaIndex with a wrapped client."""

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from openai import OpenAI

from stillhouse import capture

client = capture(OpenAI(), store=True, metadata={"feature": "triage"})
llm = OpenAILike(model="lab-large", is_chat_model=True, openai_client=client)
print(llm.chat([ChatMessage("My parcel has not arrived.")]).message.content)
client.stillhouse.flush()
