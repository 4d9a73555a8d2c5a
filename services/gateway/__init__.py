"""Gateway: chat completions forwarded to the provider, captured when `store` is true."""
