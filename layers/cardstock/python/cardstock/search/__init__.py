"""The search: finds products by words in Chinese and English, by pinyin, by article numbers.

A *query* has text, filters and a sort. Its text becomes *units*, words that a hit should have; each has *needles*, the
texts that are looked for. An *index* holds a *row* of each product, its text in searchable form. A *facet* is a quality
that can be filtered by, with the number of hits for each value.

There is no search server: the index is one object that a function loads and keeps. `ports.SearchIndex` fits a search
server too, which should take over at some 30 000 products: the index is then 9 MB and takes 150 ms to
load.

Nothing here has states: an index is replaced whole.

Where to look: `searching` answers a query; `analysis` is how text is compared; `units` is what a query asks for;
`matching` and `ranking` say how well a product fits; `filtering` has filters and facets; `suggesting` completes what is
typed; `index` builds an index and merges changes; `sounds` has pinyin, `spelling` typing errors, `synonyms` words that
mean the same, `han_tables` the readings and simplified forms of characters.
"""
