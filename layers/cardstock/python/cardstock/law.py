"""Legal limits of a referral network, for the nightly compliance check and the simulation of plans.

Source: opinion of the Supreme People's Court, the Procuratorate and the Ministry of Public Security on organising
pyramid selling (2013), part one: a group of three levels and thirty people or more, its head included, is investigated.
The share of sales to non-promoters is a limit of our own.
"""

from typing import Final

from cardstock.money import Bps

ALARM_LEVELS: Final = 3
"""Levels of a subtree, its head included."""
ALARM_PEOPLE: Final = 30
"""People in a subtree, its head included."""
OUTSIDE_FLOOR_BPS: Final[Bps] = 5_000
"""Share of sales to non-promoters below which there is a warning."""
