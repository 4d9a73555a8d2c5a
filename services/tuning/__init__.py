"""Tuning: start fine-tuning jobs once, follow them, register what they made."""
