"""The state folder: what a local deployment stores for its next start and for commands."""

ENVIRONMENT = "environment.json"
"""The variables of all functions, with the account; present while the deployment runs."""
MEMORY = "suite.json"
"""The shift of the clock, and the pipes' progress."""
