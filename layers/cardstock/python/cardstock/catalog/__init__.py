"""The catalogue: what is sold, by whom, at what price, and how many units there are.

A *product* is what a page shows: content in two languages, options and the terms of its SKUs. A *SKU* (`Variant`) is
what is sold: one choice of the options, with price and stock. A *card* is what lists show of a product. A *publication*
is what staff publish: content, card and SKUs are written together. Of a SKU's units, *stock* can be sold now, and
*held* is reserved or sold but not sent. A supplier's count of the shelf includes both.

A product: staff put it on sale and archive it. While `on_sale_from` lies ahead, clients read it as scheduled.

    draft --publish--> on_sale --publish--> archived
    archived --publish--> on_sale

A SKU stays with the supplier and the product that published it first, and none is removed. Release 0.3.0 and before had
no pages: a SKU that no page shows is a product of its own, until staff publish it.

Where to look: `publishing` (products), `drafting` (suppliers' drafts), `reading` (pages and lists), `upkeep` (stock on
cards), `stock` (units that arrive, and counts), `product_model` (what a page shows), `publication_store` (why page,
card and price agree). Selling changes stock inside the transaction of an order: `store` has the steps for
`orders.store`.
"""
