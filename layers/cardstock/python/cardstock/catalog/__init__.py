"""The catalogue: what is sold, by whom, at what price, and how many units there are.

A *product* is one SKU of one supplier. A *listing* is what a supplier or staff publish about a SKU. Of a product's
units, *stock* can be sold now, and *held* is reserved or sold but not sent. A supplier's count of the shelf includes
both.

A product has no states besides `active`, which says whether it is for sale. A SKU stays with the supplier that
published it first, and no product is removed.

Where to look: `publishing` (listings), `stock` (units that arrive, and counts). Selling changes stock inside the
transaction of an order: `store` has the steps for `orders.store`.
"""
