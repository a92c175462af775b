"""Factories of the partners area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment
from cardstock.edge import wiring as edge_wiring

if TYPE_CHECKING:
    from cardstock.edge.callers import Callers
    from cardstock.partners.ports import (
        AttemptNeeds,
        Deliveries,
        DueQueue,
        Endpoints,
        Inbox,
        Keys,
        PostCall,
        Suppliers,
        WebhookNeeds,
    )


@cache
def callers() -> "Callers":
    """Identifies callers by the Authorization header."""
    from cardstock.edge.callers import Callers
    from cardstock.edge.secrets import secret
    from cardstock.partners.store import find_key

    return Callers(
        signer=edge_wiring.signer(),
        find_key=find_key,
        admin_key=lambda: secret(environment.text("ADMIN_SECRET_ID"))["key"],
    )


@cache
def partner_keys() -> "Keys":
    """API keys in DynamoDB."""
    from cardstock.partners.store import DynamoKeys

    return DynamoKeys()


@cache
def suppliers() -> "Suppliers":
    """Suppliers in DynamoDB."""
    from cardstock.partners.store import DynamoSuppliers

    return DynamoSuppliers()


@cache
def inbox() -> "Inbox":
    """Received messages in DynamoDB."""
    from cardstock.partners.store import DynamoInbox

    return DynamoInbox()


@cache
def endpoints() -> "Endpoints":
    """Webhook endpoints in DynamoDB."""
    from cardstock.partners.store import DynamoEndpoints

    return DynamoEndpoints()


@cache
def deliveries() -> "Deliveries":
    """Webhook deliveries in DynamoDB."""
    from cardstock.partners.store import DynamoDeliveries

    return DynamoDeliveries()


@cache
def webhook_post() -> "PostCall":
    """Calls endpoints: public addresses, and private networks that the operator allows."""
    from functools import partial

    from cardstock.partners.post import parse_networks, post

    return partial(post, allowed=parse_networks(environment.text("WEBHOOK_PRIVATE_NETWORKS")))


def check_webhook_url(url: str) -> None:
    """Refuse a URL that outgoing webhooks could never call."""
    from cardstock.partners.post import check_url, parse_networks

    check_url(url, parse_networks(environment.text("WEBHOOK_PRIVATE_NETWORKS")))


@cache
def due_queue() -> "DueQueue":
    """Planned attempts in the webhooks queue."""
    from cardstock.aws.queues import Queue
    from cardstock.partners.post import DueMessages

    return DueMessages(Queue(environment.text("WEBHOOKS_QUEUE_URL")))


def webhook_needs() -> "WebhookNeeds":
    """The ports of storing and queueing deliveries."""
    from cardstock.partners.ports import WebhookNeeds

    return WebhookNeeds(endpoints(), deliveries(), due_queue())


def attempt_needs() -> "AttemptNeeds":
    """The ports of an attempt to deliver."""
    from cardstock.edge.signatures import sign
    from cardstock.partners.ports import AttemptNeeds

    return AttemptNeeds(endpoints(), deliveries(), due_queue(), webhook_post(), sign)
