# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "langchain-openai==1.7.4"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""LangChain, and so LangGraph, with wrapped clients."""

from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI

from stillhouse import capture

client = capture(OpenAI(), store=True, metadata={"feature": "triage"})
later = capture(AsyncOpenAI(), store=True, metadata={"feature": "triage"})
model = ChatOpenAI(
    model="lab-large",
    root_client=client,
    root_async_client=later,
    client=client.chat.completions,
    async_client=later.chat.completions,
)
print(model.invoke("My parcel has not arrived.").content)
client.stillhouse.flush()
