"""Bedrock: customization jobs, custom and imported models, on-demand deployments, and the runtime."""
