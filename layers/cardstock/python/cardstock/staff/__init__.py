"""Staff: the brand's own people, each known by an id.

A `Person` has an id (`stf_...`), a name, and the id of whoever created it: another person, or `root` for the first two.
API keys of staff belong to a person (partners.model.ApiKey.owner). Everything that staff does is recorded under the
person's id. Where two people are needed, `model.is_second_person` decides. Roles and log-in are not here yet: the
rights of a person are the scopes of that person's keys.

A person: `PersonState`.

    active --deactivate_person--> inactive

Where to look: `model.py` has the rules, `persons.py` the verbs, `store.py` the table. Keys are revoked with their
person in `flows/staff_keys.py`.
"""
