"""Bank accounts of payees: where a payout by bank file goes.

A member has one account in force, and at most one *change* that is not in force yet. The holder is the verified person:
payouts compare the names again, since an identity can be taken from a member.
The number is stored encrypted and shown masked; whole it stands in the bank file alone, and is read by nobody else
without a scope of its own and a reason on record.

States of a change, `ChangeState`:

    waiting --decide_change--> confirmed | refused
    confirmed --decide_change--> refused

A first account starts as confirmed, a change of an account as waiting: a person of the staff confirms it. No money goes
to either before 72 hours are over since the member set it (`model.WAIT`); until then it goes to the old account, and a
member without one is left out. A new change takes the place of the one before it.

Before anything is stored, `bank_account.changed` is announced with the contact that the member had: the brand's
subscriber to that event carries the message, since Cardstock sends no SMS. A notice of it is stored with the account.

Where to look: `numbers.py` checks numbers, `setting.py` is what a member does, `deciding.py` what the staff does,
`vault.py` encrypts, `store.py` has the table. Payouts meet accounts in `flows/bank_accounts.py`.
"""
