"""The platforms that members log in on, a module each: `members.ports.LoginPlatform`.

Their calls are in `cardstock.platforms`; what they share here is in `refusals`. `members.wiring.login_platforms` makes
them out of the secret when somebody logs in on one. The development platform exists on a development machine alone.
`identity_adapter` asks the merchant's service whom a member is: `members.ports.IdentityVerifier`.
"""
