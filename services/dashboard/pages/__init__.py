"""The pages, one module for each section, each with its `pages`: which path, what it asks the API, which template."""
