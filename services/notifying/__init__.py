"""Webhooks: tell subscribed endpoints what has happened."""
