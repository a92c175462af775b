"""Tax withheld from payouts: per person, over all members of the person.

`tables.py` has the law's tables with their dates and sources, and what a line withholds. `to_date.py` finds a person's
figures before a line. `certificates.py` is a person's year, `quarters.py` writes the quarter's file for the tax office
(`writers.py` its content), once all its payouts are settled; `store.py` knows the quarters that were written.
"""
