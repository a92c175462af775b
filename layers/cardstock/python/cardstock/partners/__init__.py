"""Partners: API keys, suppliers, their signed reports (the inbox), and webhooks out.

A key belongs to a person of the staff or to a supplier. A supplier reports parcels, deliveries and stock counts to its
inbox. An endpoint receives a partner's events; one event for one endpoint is a delivery, and one call of the endpoint
an attempt. An endpoint without a URL keeps its deliveries until the partner fetches them.

An API key: `KeyState`.

    active --revoke_key--> revoked

A message in the inbox: `MessageState`.

    received --take_message--> done

An endpoint: one without a URL begins active (`EndpointStatus`).

    pending --attempt--> active
    active --attempt--> disabled
    disabled --attempt--> active
    pending --disable_endpoints_of_person--> disabled
    active --disable_endpoints_of_person--> disabled

A delivery: it begins kept or waiting (`DeliveryStatus`).

    kept --redeliver--> waiting
    waiting --attempt--> delivered
    waiting --attempt--> failed
    failed --attempt--> delivered
    failed --redeliver--> waiting
    delivered --redeliver--> waiting

Where to look: `keys.py`, `suppliers.py` and `inbox.py` for what comes in; `endpoints.py`, `deliveries.py` and
`attempts.py` for what goes out; `post.py` calls addresses and refuses private ones; `store.py` has the tables.
"""
