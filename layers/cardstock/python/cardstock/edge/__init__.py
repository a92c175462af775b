"""The edge: events come in, answers go out. The only package that imports Powertools.

`http` serves declared routes: `bodies` reads what clients send, `problems` writes refusals, `fields` are JSON fields
that areas have in common. `queue` and `schedule` are the other triggers. `callers`, `tokens`, `cursors` and
`signatures` say who calls and what is genuine; `secrets` fetches keys; `observability` is logs and metrics.
"""

import gc

# A cold start makes many objects and no garbage; collecting after every 700 objects takes a twentieth of it.
gc.set_threshold(50_000, 10, 10)
