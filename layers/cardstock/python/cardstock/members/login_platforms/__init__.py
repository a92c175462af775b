"""The platforms that members log in on, a module each: `members.ports.LoginPlatform`.

So far there is the development platform alone. WeChat and Alipay are further modules here, and further entries of
`members.wiring.login_platforms`; their signed calls belong into `cardstock.platforms`.
"""
