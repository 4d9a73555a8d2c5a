"""`POST /v1/responses`: forwarded to providers that have the Responses API, others are asked for a chat completion."""
