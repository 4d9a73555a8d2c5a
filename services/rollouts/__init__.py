"""Rollouts: move an alias from its model to another one in steps, as long as graded pairs of answers allow it."""
