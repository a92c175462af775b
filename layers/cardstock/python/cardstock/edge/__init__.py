"""Where events come in and answers go out: the only rooms that know Powertools."""

import gc

# A start makes many objects and no garbage: looking for some every 700 objects takes a twentieth of it.
gc.set_threshold(50_000, 10, 10)
