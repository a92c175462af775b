"""Limits that the law sets to a referral network: the nightly compliance check and the simulation of plans go by them.

Source: opinion of the Supreme People's Court, the Procuratorate and the Ministry of Public Security on organising
pyramid selling (2013), part one: from three levels and thirty people on, the first one included, a group is looked at.
The share of sales to people who promote nothing is a limit of our own.
"""

from typing import Final

from cardstock.money import Bps

ALARM_LEVELS: Final = 3
"""Levels of a subtree, its head included."""
ALARM_PEOPLE: Final = 30
"""People in a subtree, its head included."""
OUTSIDE_FLOOR_BPS: Final[Bps] = 5_000
"""Share of sales to people who promote nothing, under which a warning is due."""
