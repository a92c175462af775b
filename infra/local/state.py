"""The state folder: what a deployment that runs on this machine leaves for its next start and for commands."""

ENVIRONMENT = "environment.json"
"""The variables of all functions, with the account; there for as long as the deployment runs."""
MEMORY = "suite.json"
"""How far the clock has been moved, among other things."""
