"""Grading: plan a run, sample a model, apply the eval's graders."""
