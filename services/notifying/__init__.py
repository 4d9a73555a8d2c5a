"""Notifying: tell people and programs what has happened, through channels."""
