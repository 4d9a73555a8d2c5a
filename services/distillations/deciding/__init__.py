"""Deciding: the evidence of a verdict, what stands beside it, and the document, from what is stored."""
