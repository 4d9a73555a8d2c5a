"""Commands for who runs a stack: what make's targets call."""
