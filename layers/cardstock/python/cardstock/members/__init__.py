"""Members: who is registered, how they log in, and the person each has been verified as.

A *member* logs in with an *account* of a *login platform* (WeChat, Alipay, Douyin ...), which vouches for it with a
login code. One member may have an account on each platform; a *union id*, which a platform gives for all apps of one
developer, and a telephone number belong to one member each and join them. A *session* is one log-in on one device.
A *person* is whom a member has been verified as, by name and identity number; members who are one person are
*siblings*, because tax is a person's. Accounts of one person *merge* into a *group* by the person's word. An *invite*
is what brought a newcomer: a member id, or the key of a shared card.

A member:

    registered --verify_person--> verified
    verified --take_identity--> registered
    registered --close_account--> erased
    verified --close_account--> erased

A member's consent:

    missing --change_consent--> given | withdrawn
    given --read_versions--> lapsed
    given --change_consent--> withdrawn
    lapsed --change_consent--> given | withdrawn
    withdrawn --change_consent--> given

It is to one purpose, and lapses when a newer version of its text comes into force. An erased member stays on record and
is refused everywhere (MEMBER_ERASED). Closing an account is `flows.closing`. Two persons of the staff take an identity
from a member who is not that person (`flows.identity_disputes`).

An export: time alone makes it fail or expire; one with data of an account whose merge was undone has expired.

    waiting --finish--> ready
    waiting --state_at--> failed
    ready --state_at--> expired

Where to look: `login` registers members and lets them in, `phones` says who may join a member by a number, `inviting`
binds them to inviters, `profile` is what they say of themselves, `consents` is what they agree to (`consent_model` and
`consent_texts` are the purposes), `identity` verifies persons. `sessions` are their tokens, and how these are refreshed
and ended; `login_platforms` are the platforms' adapters. `merge_model` and `flows.merging` are merges. `exports` are
the files in which members get what is stored of them, `flows.exporting` writes them.
Members meet the referral network in `flows.joining`.
"""
