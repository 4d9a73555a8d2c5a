"""The web pages: what the API has, for people. A page asks the API as any client does."""
