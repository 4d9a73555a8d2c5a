"""The documents of the loop, typed, and their lineage."""
