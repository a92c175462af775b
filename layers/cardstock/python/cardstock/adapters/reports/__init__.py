"""Writers of the payout report. Each takes a `Report` and gives the same bytes for the same report, always.

They import their libraries when called: only the function that writes reports carries them.
"""
