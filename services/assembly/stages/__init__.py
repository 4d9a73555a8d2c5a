"""The end of a very large set as a chain of stages, each cut into tasks that fit into memory and time."""
