"""Tax withheld from payouts: per person, over all members of the person.

`tables.py` has the law's tables with their dates and sources, and computes a line's tax. `to_date.py` finds a person's
figures before a line. `certificates.py` has a person's year. `quarters.py` writes the quarter's file for the tax
authority (`writers.py` its content) once all its payouts are settled; `store.py` lists the written quarters.
"""
