"""Prints how many seconds a payout's report took: from when its books were found to agree until its files were written.

Run as a process of its own, on the tables that the environment names.
"""

import sys

from cardstock.payouts import wiring


def main() -> None:
    """`settled.py pay_202611`"""
    batch = wiring.payouts().find_batch(sys.argv[1])
    assert batch is not None
    assert batch.closed_at is not None
    assert batch.settled_at is not None
    print((batch.settled_at - batch.closed_at).total_seconds())


if __name__ == "__main__":
    main()
