"""Distilling: the state machine of a distillation, and its gate."""
