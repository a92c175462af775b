"""Delivery: what sending an order costs its buyer.

A *template* has a *rate* for everywhere, and *zones* with rates of their own: a fee for the first units or grams, a fee
for each further step, nothing from an amount on. The smallest region that a zone names decides: district before city
before province. Regions can be left out: nothing is sent there. A SKU names its template; one that names none follows
the default one. While there is no template, the setting of the deployment holds: one fee for an order.

Freight is reckoned per supplier, who sends a part of the order. Lines of one template in a part are counted together,
templates in a part add up, and an amount from which sending is free is measured over all lines of the template in the
order, after coupons and before points.

Where to look: `freight` (what the parts of an order cost), `editing` (read and replace the templates), `answers` (the
list of regions).
"""
