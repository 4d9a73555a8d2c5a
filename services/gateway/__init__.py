"""Gateway: chat completions and responses forwarded to their provider, and captured where they are to be stored."""
