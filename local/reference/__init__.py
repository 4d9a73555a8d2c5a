"""The description of the API and the reference, both written from what the routes declare (`make reference`)."""
