"""`stillhouse verdict` and `stillhouse channel`: what was decided, and who is told of what."""
