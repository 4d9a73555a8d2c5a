"""What every service stands on: messages, table, blobs, queues, models, settings, errors."""
