"""Recommendations: what a member may want next, each with its reason.

Every night `learning` turns the *purchases* of a year into *serving rows*: a member's candidates, a product's
neighbours, and what is popular. A request reads a few rows in one call and `ranking` orders their products by score;
the answer is a *shelf*. `wording` gives each product its text, and may ask a language model for a better order and
better words: the model can do nothing else, and the answer never needs it.

Nothing here has states: a row is replaced whole by the next learning, a shelf is not kept.

Where to look: `recommending` answers a request; `rows` is how a serving row is stored in little space; `evaluation`
measures how good the rules are on a shop's own history; `model_gateway` is the language model's server.
"""
