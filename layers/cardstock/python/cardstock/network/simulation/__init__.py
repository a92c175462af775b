"""The simulation: runs plans on recorded orders or on a synthetic shop before they are published.

Where to look: `steps.py` (a history as steps, and recorded orders), `market.py` (the synthetic shop), `trial.py` (one
plan through one history), `outcome.py` (its figures), `comparison.py` (the best plan within bounds), `charts.py` and
`schemas.py` (for people and for the API).
"""
