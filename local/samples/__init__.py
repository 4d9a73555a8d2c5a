"""Sample traffic of a made-up shop, and the shape of a row that a demo reads."""
