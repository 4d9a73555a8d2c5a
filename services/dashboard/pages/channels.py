"""Channels: who is told of what, what was delivered, and a test."""

from __future__ import annotations

from dashboard.answers import Answer, Page, SeeOther
from dashboard.shown import step
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.routes import Query, Routes

pages = Routes("Channels")


@pages.get("/channels", scope="admin")
def channels(visit: Visit) -> Answer:
    """The channels, with the events that each is told of."""
    [listed] = visit.api.all([Asked("/channels")])
    return Page("channels.html", "Channels", {"channels": listed})


@pages.get("/channels/<channel_id>", scope="admin", query=(Query("after", "The event after which the page begins."),))
def channel(visit: Visit) -> Answer:
    """One channel: what it was told in the last 30 days, what waits, and what was given up."""
    path = f"/channels/{step(visit.parameters['channel_id'])}"
    deliveries = visit.api.get(f"{path}/deliveries", {"limit": "50", **visit.query})
    return Page("channel.html", "Channel", {"channel": visit.api.get(path), "deliveries": deliveries})


@pages.post("/channels/<channel_id>/test", scope="admin")
def send_test(visit: Visit) -> Answer:
    """Send the channel an event of its own."""
    path = f"/channels/{step(visit.parameters['channel_id'])}"
    visit.api.post(f"{path}/test")
    return SeeOther(path)
