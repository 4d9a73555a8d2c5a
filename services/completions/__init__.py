"""Captured completions: their shape, their frames in S3, the index, filters and policies."""
