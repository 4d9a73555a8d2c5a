"""SageMaker: serverless training jobs, the groups of their model packages, and the recipes of the public hub."""
