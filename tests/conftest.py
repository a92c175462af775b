"""What every test shares: an environment like a function's, dummy credentials, and no way out to a network."""

import os

from hypothesis import settings

# Set before anything of the package is imported: settings and table models read it once.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "ap-east-1",
    "AWS_REGION": "ap-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_DEV": "false",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "ENVIRONMENT": "local",
    "MEMBERS_TABLE": "members",
    "NETWORK_TABLE": "network",
    "PLANS_TABLE": "plans",
    "CARDS_TABLE": "cards",
    "PRODUCTS_TABLE": "products",
    "ORDERS_TABLE": "orders",
    "SUPPLIER_ORDERS_TABLE": "supplier-orders",
    "REQUESTS_TABLE": "requests",
    "LEDGER_TABLE": "ledger",
    "BALANCES_TABLE": "balances",
    "REWARDS_TABLE": "rewards",
    "STATEMENTS_TABLE": "statements",
    "PAYOUTS_TABLE": "payouts",
    "RECOMMENDATIONS_TABLE": "recommendations",
    "PARTNERS_TABLE": "partners",
    "STAFF_TABLE": "staff",
    "DELIVERIES_TABLE": "deliveries",
    "COMPLIANCE_TABLE": "compliance",
    "REPORTS_BUCKET": "reports",
    "CARD_VIEWS_QUEUE_URL": "https://sqs.ap-east-1.amazonaws.com/123456789012/card-views",
    "WEBHOOKS_QUEUE_URL": "https://sqs.ap-east-1.amazonaws.com/123456789012/webhooks",
    "PAYOUT_STEPS_QUEUE_URL": "https://sqs.ap-east-1.amazonaws.com/123456789012/payout-steps",
    "PAYOUT_MAPS_QUEUE_URL": "https://sqs.ap-east-1.amazonaws.com/123456789012/payout-maps",
    "PAYOUT_MAP_ABOVE": "10000",
    "SESSION_SECRET_ID": "session",
    "PAYMENT_SECRET_ID": "payment",
    "ADMIN_SECRET_ID": "admin",
    "TRANSFER_SECRET_ID": "transfer",
    "PAYMENT_SANDBOX_URL": "http://127.0.0.1:8701",
    "INFERENCE_BASE_URL": "",
    "INFERENCE_MODEL": "",
    "INFERENCE_API_KEY": "",
    "BRAND_NAME": "Cardstock",
    "TAX_METHOD": "labour",
    "TAX_GAP": "restart",
    "FREIGHT_FEN": "0",
    "FREIGHT_FREE_FROM_FEN": "0",
    "STOCKING_UNITS": "10",
    "TRANSFER_CHANNEL": "bank_file",
    "WEBHOOK_PRIVATE_NETWORKS": "",
}
os.environ.update(_ENVIRONMENT)
os.environ.pop("AWS_ENDPOINT_URL", None)
os.environ.pop("AWS_PROFILE", None)

# A busy machine is no failure, and the same run twice gives the same answer.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# Plugins are imported after this file, so that what they import finds the environment.
pytest_plugins = [
    "tests.house.whole_run",
    "tests.house.fault_figures",
    "tests.house.quick",
    "tests.house.cloud",
    "tests.house.rights",
    "tests.house.variables",
    "tests.house.payloads",
    "tests.house.racing",
    "tests.house.refusals",
    "tests.people.clock",
    "tests.people.selling",
    "tests.house.sockets",
]
