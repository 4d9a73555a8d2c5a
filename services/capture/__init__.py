"""Capture: completions in over HTTP, and the recorder behind its queue."""
