# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-openai==1.7.4"]
# ///
"""LangChain."""

import os

from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model="lab-large",
    base_url=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    store=True,
    extra_body={"metadata": {"feature": "triage"}},
)
print(model.invoke("My parcel has not arrived.").content)
