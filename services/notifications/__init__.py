"""The webhook endpoints, and the event types that each subscribes to."""
