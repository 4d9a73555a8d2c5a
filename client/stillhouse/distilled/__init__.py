"""Distillations on the command line, and what an object came from."""
