"""Aliases: names that applications call, each of which points at a model or at a weighted set of models."""
