"""What the environment says, read once and typed. A missing or wrong value stops the function at its cold start."""

import os
from functools import cache

import msgspec
from msgspec.structs import fields


class Settings(msgspec.Struct, frozen=True):
    """One field per environment variable (the name in upper case); `template.yaml` declares them for every function."""

    environment: str
    """`local`, `dev` or `prod`. The development login platform exists in `local` only."""
    members_table: str
    network_table: str
    plans_table: str
    cards_table: str
    products_table: str
    orders_table: str
    supplier_orders_table: str
    requests_table: str
    ledger_table: str
    balances_table: str
    rewards_table: str
    statements_table: str
    payouts_table: str
    recommendations_table: str
    partners_table: str
    deliveries_table: str
    compliance_table: str
    reports_bucket: str
    card_views_queue_url: str
    webhooks_queue_url: str
    payout_steps_queue_url: str
    payout_maps_queue_url: str
    """Where payouts go that are taken in parts."""
    session_secret_id: str
    """Secret with `{"key": newest, "previous": [...]}`: signs access tokens, quotes, view tickets and cursors."""
    payment_secret_id: str
    """Secret with the payment channels' keys, `{"sandbox_key": base64 of the signing key}`."""
    admin_secret_id: str
    """Secret with `{"key": "..."}`: the root credential, good for making other keys only."""
    transfer_secret_id: str
    """Secret with the accounts that are paid out from, `{"wechat": {...}, "alipay": {...}}`."""
    payment_sandbox_url: str
    """Address of the sandbox payment channel; empty where there is none."""
    inference_base_url: str
    """An OpenAI-compatible endpoint (`https://host/v1`); empty: rules alone."""
    inference_model: str
    inference_api_key: str
    brand_name: str
    """How the brand is named on its reports."""
    tax_method: str
    """`labour` or `platform`."""
    tax_gap: str
    """What a month without income does to income and tax to date under `platform`: `restart`, or `carry_over`."""
    freight_fen: str
    """A whole number: what sending an order costs the buyer; 0: nothing."""
    freight_free_from_fen: str
    """A whole number: from so much paid for the goods on there is no freight; 0: there always is."""
    stocking_units: str
    """A whole number: units of earning products in 30 days above which a buyer's orders are held for finance."""
    transfer_channel: str
    """How commissions are paid out: `bank_file`, `wechat`, `alipay`, or `sandbox` outside production."""
    payout_map_above: str
    """A whole number: payouts of more lines are sent and asked about in parts, side by side."""
    webhook_private_networks: str
    """Comma-separated CIDRs that outgoing webhooks may reach although they are not public; empty in the cloud."""


def missing() -> list[str]:
    """The variables that are not set."""
    return [name for field in fields(Settings) if (name := field.name.upper()) not in os.environ]


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises `RuntimeError` naming every variable that is not set.
    """
    if names := missing():
        raise RuntimeError(f"environment variables are not set: {', '.join(names)}")
    return Settings(**{field.name: os.environ[field.name.upper()] for field in fields(Settings)})
