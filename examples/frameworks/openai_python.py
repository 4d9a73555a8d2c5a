# /// script
# requires-python = ">=3.11"
# dependencies = ["openai==3.57.0"]
# ///
"""OpenAI's own SDK."""

import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["STILLHOUSE_GATEWAY_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
completion = client.chat.completions.create(
    model="lab-large",
    messages=[{"role": "user", "content": "My parcel has not arrived."}],
    store=True,
    metadata={"feature": "triage"},
)
print(completion.choices[0].message.content)
