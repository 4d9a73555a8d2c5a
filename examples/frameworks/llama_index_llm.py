# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-llms-openai-like==0.8.1"]
# ///
"""LlamaIndex."""

import os

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

llm = OpenAILike(
    model="lab-large",
    api_base=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    is_chat_model=True,
    additional_kwargs={"store": True, "metadata": {"feature": "triage"}},
)
print(llm.chat([ChatMessage("My parcel has not arrived.")]).message.content)
