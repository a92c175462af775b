"""Business cards: what a member shows to customers, and who looked at it.

A *card* belongs to a member and has a *face* for each audience (in the API: a version); the face `default` is for
everybody. A *share* is a key for sharing the card: it chooses the audience and tells where a visitor came from.
A *view* is one visit of a card; its *ticket*, sent with the card, makes repeated reports one view. The *radar* of a
card has the sums of its views, and the last visitors with their *heat*, an interest score. A view earns
an *attribution*, which credits an order to the card (`cardstock.attribution`).

A card has no states: every change is a revision, and no card is removed.

A view on its card's radar:

    unseen --count_views--> opened --count_views--> timed
    unseen --count_views--> timed

Where to look: `editing` makes and changes cards, `sharing` gives them away, `viewing` shows them and reports views,
`radar` counts views. `tickets` signs the view tickets; `documents` are the public page, the vCard and the QR code;
`events` is the message between the function that reports views and the one that counts them.
"""
