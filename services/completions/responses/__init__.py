"""What is said through the Responses API, as the chat completion that says the same."""
