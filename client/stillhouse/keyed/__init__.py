"""API keys and the login on the command line."""
