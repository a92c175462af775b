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

Where to look: `model.py` has the rules, `persons.py` the verbs, `linking.py` those of links; `store.py` and
`link_store.py` are the table. `confirmations.py` asks the phone and takes its answer, `confirmation_store.py` is its
table. Keys are revoked with their person in `flows/staff_keys.py`.
"""
