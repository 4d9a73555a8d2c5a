"""Evals, runs, output items and what is computed from them."""
