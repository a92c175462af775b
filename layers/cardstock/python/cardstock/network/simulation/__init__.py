"""The simulation: plans tried on recorded orders or on a made-up shop, before one is published.

Where to look: `steps.py` (a history as steps, and recorded orders), `market.py` (the made-up shop), `trial.py` (one
plan through one history), `outcome.py` (its figures), `comparison.py` (the best plan within bounds), `charts.py` and
`schemas.py` (for people and for the API).
"""
