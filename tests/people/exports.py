"""A member who exports what is stored of the own person, and the worker that writes the file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import time_machine

from cardstock import environment
from cardstock.members.export_model import SETTLES_AFTER
from functions.ledger.on_entry import app as on_entry
from functions.members.on_export import app as on_export
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.tokens import access_token
from tests.people.trade import Trade


def book_statements(trade: Trade) -> None:
    """Have every new entry of the ledger follow into the statements."""
    if records := trade.take("ledger"):
        assert on_entry.handler(queue_event("ledger-entries", *records), Context())["batchItemFailures"] == []


class Person:
    """A member on the development platform."""

    def __init__(self, name: str, clock: TestClock, **more: Any) -> None:
        body = login_body(name, **more)
        answer = reply(serve(http_event("POST", "/v1/auth/sessions", body)))
        assert answer.status == 200, answer
        self.id, self._clock = str(answer.body["member"]["member_id"]), clock

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Reply:
        """Call a route as the member."""
        answer = reply(serve(http_event(method, path, body, token=access_token(self.id), key=key)))
        assert answer.status < 300, answer
        return answer

    def close(self) -> None:
        """Close the account, which has nothing that is open."""
        self.send("PUT", "/v1/me/closing", {})
        self._clock.move(minutes=1)
        assert self.send("PUT", "/v1/me/closing", {}).body["state"] == "closed"


class Exporter:
    """Asks for exports of members, and reads them."""

    def __init__(self, cloud: Cloud, clock: TestClock) -> None:
        self.cloud, self.clock = cloud, clock
        self._asked = 0

    def person(self, name: str, **more: Any) -> Person:
        """A member who logs in."""
        return Person(name, self.clock, **more)

    def send(self, member_id: str, method: str, path: str = "", **more: Any) -> Reply:
        token = more.pop("token", None) or access_token(member_id)
        return reply(serve(http_event(method, f"/v1/me/exports{path}", token=token, **more)))

    def ask(self, member_id: str, key: str | None = None, **more: Any) -> Reply:
        self._asked += 1
        return self.send(member_id, "POST", key=key or f"export-{self._asked}", **more)

    def messages(self) -> list[dict[str, Any]]:
        """What waits in the queue, also what becomes visible later."""
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
            return self.cloud.messages(environment.text("EXPORTS_QUEUE_URL"))

    def work(self, *messages: dict[str, Any]) -> int:
        """Messages arrive at a worker: how many come again."""
        answer = on_export.handler(queue_event("exports", *messages), Context(remaining_ms=300_000))
        return len(answer["batchItemFailures"])

    def make(self, member_id: str, **more: Any) -> str:
        """The id of an export that is ready."""
        asked = self.ask(member_id, **more)
        assert asked.status == 202, asked
        self.clock.move(seconds=int(SETTLES_AFTER.total_seconds()))
        assert self.work(*self.messages()) == 0
        return str(asked.body["export_id"])

    def read(self, member_id: str, export_id: str) -> Any:
        """What the link to an export's file gives."""
        found = self.send(member_id, "GET", f"/{export_id}").body
        assert found["state"] == "ready", found
        return json.loads(self.content(member_id, export_id))

    def content(self, member_id: str, export_id: str) -> bytes:
        """The stored file."""
        stored = self.cloud.s3.get_object(
            Bucket=environment.text("EXPORT_FILES_BUCKET"), Key=f"exports/{member_id}/{export_id}.json"
        )
        content: bytes = stored["Body"].read()
        return content

    def files(self) -> list[str]:
        """The keys of all stored files."""
        found = self.cloud.s3.list_objects_v2(Bucket=environment.text("EXPORT_FILES_BUCKET"))
        return [each["Key"] for each in found.get("Contents", ())]

    @staticmethod
    def signed_seconds(link: str) -> int:
        """For how long a link is good."""
        return int(dict(httpx.URL(link).params)["X-Amz-Expires"])
