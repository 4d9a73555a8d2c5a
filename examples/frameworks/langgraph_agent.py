# /// script
# requires-python = ">=3.11"
# dependencies = ["langgraph==1.2.24", "langchain-openai==1.7.4"]
# ///
"""LangGraph."""

import os

from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

model = ChatOpenAI(
    model="lab-large",
    base_url=os.environ["STILLHOUSE_GATEWAY_URL"],
    api_key=os.environ["STILLHOUSE_API_KEY"],
    store=True,
    extra_body={"metadata": {"feature": "triage"}},
)
graph = StateGraph(MessagesState)
graph.add_node("triage", lambda state: {"messages": [model.invoke(state["messages"])]})
graph.add_edge(START, "triage")
answer = graph.compile().invoke({"messages": [("user", "My parcel has not arrived.")]})
print(answer["messages"][-1].content)
