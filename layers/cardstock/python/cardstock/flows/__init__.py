"""Flows: what follows in one area from another. Each is a business process of its own; its ports are arguments.

| Process | Module | Started by |
|---|---|---|
| follow a change of an order or a refund | `order_changes`, `order_changes_wiring` | `orders/on_change` |
| apply the plan's rules to an order | `rewarding` | the flows that book, check or explain |
| settle an order, release its rewards | `settling`, `settling_wiring` | `order_changes`, `ledger/nightly_release` |
| grant, use and revoke coupons | `coupons` | `order_changes`, `orders/api` |
| follow a new entry of the ledger | `ledger_entries` | `ledger/on_entry` |
| pay members | `paying_out`, `paying_out_wiring` | the functions of payouts |
| set and confirm payees' bank accounts | `bank_accounts` | `bank_accounts/api`, `paying_out_wiring` |
| clear open items, with what that books | `open_items` | `open_items/api` |
| check the account of a refund that is paid by hand | `refunds_by_hand` | `open_items` |
| divide the team dividend | `dividends` | `order_changes`, `settling`, `network/monthly_dividends` |
| check purchases | `compliance_checks` | `order_changes`, `settling` |
| check sales and subtrees | `nightly_compliance` | `compliance/nightly_check` |
| join the referral network | `joining`, `joining_wiring` | `members/api`, `members/staff_api` |
| merge members who are one person | `merging` | `members/accounts_api`, `joining` |
| part merged members, and remove exports with data of both | `parting` | `members/accounts_api` |
| give and withdraw consents, and what that removes | `consenting`, `consenting_wiring` | `members/consents_api` |
| close a member's account | `closing`, `closing_wiring`, `closing_schemas` | `members/closing_api` |
| close the accounts that had to wait | `nightly_closing` | `members/nightly_closing` |
| repay what closed accounts owe | `closed_debts`, `closed_debts_wiring` | `ledger/nightly_debts`, `paying_out_wiring` |
| write an export of a member's data | `exporting`, `exporting_wiring`, `exporting_texts` | `members/on_export` |
| its records, as they were and as they are written | `exporting_as_of`, `exporting_views_wiring` | `exporting` |
| erase closed accounts, as far as no law keeps them | `erasing`, `erasing_wiring` | `members/nightly_erasure` |
| ask for, read and receive uploads of members | `uploading`, `uploading_wiring` | `uploads/api`, `uploads/on_upload` |
| erase orders that ended three years ago | `order_retention`, `order_retention_wiring` | `orders/nightly_retention` |
| find what a member has, before an account joins it by a number | `holdings` | `members/api` |
| place a buyer in the network, for a quote and an order | `buying`, `buying_wiring` | `orders/api` |
| explain a member's rewards | `explaining`, `explaining_reasons`, `explaining_schemas` | `ledger/api` |
| give goodwill, by one person or two | `goodwill` | `orders/staff_api`, `open_items` |
| take an identity from an account, by two | `identity_disputes` | `members/staff_api`, `open_items` |
| audit the books | `auditing`, `books_wiring` | `ledger/nightly_audit`, `cardstock ledger verify` |
| publish products of suppliers that exist | `publishing_products` | `catalog/staff_api` |
| find products, and keep the index | `finding_products`, `finding_schemas` | the functions of search |
| learn recommendations from orders | `learning` | `recommendations/nightly_learning` |
| list and answer what a phone of the staff confirms | `phone_confirmations` | `staff/confirmations_api` |
| find the person who a member is | `staff_logins` | `staff/members_api` |
| identify and record who acts by the staff API | `callers_wiring`, `concerned_wiring` | the functions of staff |
| create and revoke keys of persons and suppliers | `staff_keys` | `partners/api`, `staff/api` |
| have a person answer for each endpoint | `brand_endpoints`, `brand_endpoints_wiring` | `partners/webhooks_api` |
| publish events to partners | `announcing` | the queue functions |

A process's wiring makes its ports from the stores of the areas; `wiring` makes what several of them share.
"""
