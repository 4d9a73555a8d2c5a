"""Who wants to be notified of what."""
