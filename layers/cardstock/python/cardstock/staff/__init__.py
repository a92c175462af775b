"""Staff: the brand's own people, each known by an id.

A `Person` has an id (`stf_...`), a name, and the id of whoever created it: another person, or `root` for the first two.
API keys of staff belong to a person (partners.model.ApiKey.owner). Everything that staff does is recorded under the
person's id. Where two people are needed, `model.is_second_person` decides. A *link* says which member a person is on
the phone: the member accepts an *invitation*, and an owner can release the link.

A person: `PersonState`.

    active --deactivate_person--> inactive

A confirmation: one step that approves money, which the linked member confirms before it is done (`ConfirmationState`).

    asked --answer--> confirmed --use--> used
    asked --answer--> declined

A log-in to the console: `LoginState`.

    waiting --choose--> confirmed | refused

A *role* is a fixed set of scopes; a key or a session of a person never has more than the person's roles give now. A
*session* of the console begins with a log-in that the linked member's phone confirmed. An *action* is what a person
does by the staff API; each is on record.

Where to look: `model.py` has the rules, `roles.py` the table of roles, `persons.py` the verbs, `linking.py` those of
links; `logging_in.py` with `console_model.py` lets browsers in; `actions.py` and `listing.py` are the record.
`confirmations.py` asks the phone before money moves, `confirmation_store.py` is its table. Keys are revoked with their
person in `flows/staff_keys.py`; who calls the staff API is found in `flows/callers_wiring.py`.
"""
