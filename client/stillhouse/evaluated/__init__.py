"""Evals, their runs and comparisons on the command line."""
