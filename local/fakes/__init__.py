"""The fakes: AWS's customization and training APIs over HTTP, for boto3's own clients."""
