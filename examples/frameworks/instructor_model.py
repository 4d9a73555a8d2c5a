# /// script
# requires-python = ">=3.11"
# dependencies = ["instructor==1.17.0"]
# ///
"""Instructor."""

import os
from typing import Literal

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Triage(BaseModel):
    """The queue that a mail is for."""

    queue: Literal["billing", "parcels"]


openai = OpenAI(base_url=os.environ["STILLHOUSE_GATEWAY_URL"], api_key=os.environ["STILLHOUSE_API_KEY"])
client = instructor.from_openai(openai, mode=instructor.Mode.JSON_SCHEMA)
triage = client.create(
    model="lab-small",
    response_model=Triage,
    messages=[{"role": "user", "content": "My parcel has not arrived."}],
    store=True,
    metadata={"feature": "triage"},
)
print(triage.queue)
