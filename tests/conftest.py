"""What every test shares: an environment like a function's, dummy credentials, and no way out to a network."""

import os

from hypothesis import settings

from infra.local.loading import load
from infra.local.template import ROOT, Place

_PLACE = Place(account="123456789012", region="ap-east-1", endpoint="https://sqs.ap-east-1.amazonaws.com")

# Set before anything of the package is imported: settings and table models read it once. What the templates declare for
# functions is there, with names that do not begin with the stack's: the table of `ORDERS_TABLE` is `orders`.
_ENVIRONMENT = {
    **{
        name: value.replace(f"{_PLACE.stack}-", "")
        for name, value in load(ROOT / "template.yaml", place=_PLACE).environment().items()
    },
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": _PLACE.region,
    "AWS_REGION": _PLACE.region,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_DEV": "false",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "ENVIRONMENT": "local",
    "PAYMENT_SANDBOX_URL": "http://127.0.0.1:8701",
    "MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false",  # AWS allows one purge a minute; a life makes hundreds
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
    "tests.house.quick_items",
    "tests.house.quick_process",
    "tests.house.quick_sdk",
    "tests.house.quick_updates",
    "tests.house.cloud",
    "tests.house.rights",
    "tests.house.variables",
    "tests.house.payloads",
    "tests.house.racing",
    "tests.house.refusals",
    "tests.people.clock",
    "tests.people.shop",
    "tests.people.partner_server",
    "tests.house.sockets",
]
