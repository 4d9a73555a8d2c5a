# /// script
# requires-python = ">=3.11"
# dependencies = ["stillhouse", "litellm==1.110.2"]
#
# [tool.uv.sources]
# stillhouse = { path = "../../.." }
# ///
"""LiteLLM's SDK with a wrapped client."""

import litellm
from openai import OpenAI

from stillhouse import capture

client = capture(OpenAI(), store=True, metadata={"feature": "triage"})
mail = [{"role": "user", "content": "My parcel has not arrived."}]
print(litellm.completion(model="openai/lab-large", messages=mail, client=client).choices[0].message.content)
client.stillhouse.flush()
