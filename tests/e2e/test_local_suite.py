"""The local runtime as a whole: real processes, a real emulator, a small deployment (`local_stack`)."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.demo.deployment import CLOCK_HOOK
from infra.local.clock import ShiftedClock
from infra.local.engine import Engine, EngineError, provision
from infra.local.sandbox import sign
from infra.local.suite import Suite, SuiteError
from infra.local.template import ROOT

pytestmark = pytest.mark.engine

TEMPLATE = Path(__file__).with_name("local_stack") / "template.yaml"


def start(state_dir: Path | None = None, **options: Any) -> Suite:
    return Suite.start(state_dir=state_dir, template=TEMPLATE, workers=2, clock_hook=CLOCK_HOOK, **options)


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with start() as running:
        yield running


def put(suite: Suite, note_id: str, text: str) -> None:
    answer = suite.request("POST", f"/v1/notes/{note_id}", headers={"content-type": "text/plain"}, body=text)
    assert answer.status == 201, answer.body


def seen(suite: Suite, key: str) -> dict[str, Any] | None:
    table = suite.environment["SEEN_TABLE"]
    item: dict[str, Any] | None = suite.clients.dynamodb.get_item(TableName=table, Key={"pk": {"S": key}}).get("Item")
    return item


def times(suite: Suite, key: str) -> int:
    item = seen(suite, key)
    return int(item["times"]["N"]) if item else 0


def test_a_request_over_http_reaches_the_handler_with_a_complete_event(suite: Suite) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(suite.url.rsplit(":", 1)[1]))
    try:
        connection.request("POST", "/v1/echo?a=1&a=2&b=%E8%8C%B6", b'{"x": 1}', {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.request("GET", "/v1/unknown")
        unknown = connection.getresponse()
        unknown_body = unknown.read()
    finally:
        connection.close()

    event = told["event"]
    assert answer.status == 200
    assert answer.headers.get_all("x-many") == ["1", "2"]
    assert event["version"] == "1.0"
    assert (event["httpMethod"], event["path"], event["resource"]) == ("POST", "/v1/echo", "/v1/echo")
    assert event["headers"]["content-type"] == "application/json"
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["茶"]}
    assert (event["body"], event["isBase64Encoded"]) == ('{"x": 1}', False)
    assert event["requestContext"]["requestId"] == told["request_id"] == answer.headers["apigw-requestid"]
    assert told["function"] == "cardstock-NotesApi"
    assert 0 < told["remaining_ms"] <= 1000
    assert told["environment"] == "local"
    assert told["api_url"] == suite.url
    assert told["process"] != os.getpid()
    assert (unknown.status, unknown_body) == (404, b'{"message": "Not Found"}')


def test_a_function_that_takes_too_long_or_dies_is_replaced(suite: Suite) -> None:
    started = time.monotonic()
    suite.request("POST", "/v1/echo")  # imported by one of the two
    suite.request("POST", "/v1/echo")
    statuses = [suite.request("GET", "/v1/death").status]
    suite.request("POST", "/v1/echo")
    statuses.append(suite.request("GET", "/v1/slow").status)
    after = suite.request("POST", "/v1/echo").status

    assert statuses == [500, 503]
    assert after == 200
    assert time.monotonic() - started < 20


def test_a_change_goes_through_the_stream_and_the_queue_to_its_handler(suite: Suite) -> None:
    put(suite, "note_1", "hello")
    put(suite, "other_1", "filtered out")
    drained = suite.drain()

    assert (drained.forwarded, drained.handled, drained.failed) == (1, 1, 0)
    assert times(suite, "note_1 hello") == 1
    assert times(suite, "other_1 filtered out") == 0


def test_a_poison_message_ends_in_the_dead_letter_queue_and_its_neighbours_are_handled_once(suite: Suite) -> None:
    for number in range(15):
        put(suite, f"note_p{number}", "poison" if number == 7 else "fine")
    drained = suite.drain()
    queue = suite.template.queue("Messaging.NoteEventsDead")
    message = suite.clients.sqs.receive_message(QueueUrl=queue.url)["Messages"][0]
    suite.clients.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])

    assert [times(suite, f"note_p{number} fine") for number in range(15)] == [1] * 7 + [0] + [1] * 7
    assert (drained.handled, drained.failed) == (14, 3)
    assert json.loads(message["Body"])["dynamodb"]["Keys"] == {"pk": {"S": "note_p7"}}


def test_a_batch_whose_handler_raises_comes_again_and_then_dies(suite: Suite) -> None:
    put(suite, "note_b", "blow up")
    suite.drain()

    assert suite.dead_letters() == {"cardstock-NoteEventsDead": 1}
    queue = suite.template.queue("Messaging.NoteEventsDead")
    suite.clients.sqs.purge_queue(QueueUrl=queue.url)


def test_the_sandbox_tells_the_api_on_the_clock_that_was_moved(suite: Suite) -> None:
    suite.clock.move_by(timedelta(hours=1))
    paid = suite.sandbox.pay("ord_e2e", 1990)
    again = suite.sandbox.pay("ord_e2e", 1990)

    assert paid["notified"] == again["notified"] == 200
    assert paid["transaction_no"] == again["transaction_no"]
    assert times(suite, paid["transaction_no"]) == 2


def test_the_sandbox_takes_signed_refunds_over_http(suite: Suite) -> None:
    paid = suite.sandbox.pay("ord_refund", 500)
    asked = {"refund_no": "rfd_1", "transaction_no": paid["transaction_no"], "amount_fen": 200}
    body = json.dumps(asked).encode()
    headers = {"content-type": "application/json", **sign(suite.sandbox_key(), "msg_1", suite.clock.now(), body)}
    connection = http.client.HTTPConnection("127.0.0.1", int(suite.sandbox.url.rsplit(":", 1)[1]))
    try:
        connection.request("POST", "/v1/refunds", body, headers)
        answer = connection.getresponse()
        refund = json.loads(answer.read())
        connection.request("POST", "/v1/refunds", body.replace(b"200", b"201"), headers)
        forged = connection.getresponse().status
    finally:
        connection.close()

    assert (answer.status, refund["status"]) == (200, "succeeded")
    assert forged == 401


def test_provisioning_twice_makes_nothing_the_second_time(suite: Suite) -> None:
    key = suite.sandbox_key()
    made = provision(suite.template, suite.clients)
    stored = suite.clients.secrets.get_secret_value(SecretId=suite.environment["PAYMENT_SECRET_ID"])["SecretString"]

    assert (made.tables, made.queues, made.buckets, made.secrets) == ((), (), (), ())
    assert json.loads(stored) == {"sandbox_key": key}


def test_tables_have_their_indexes_streams_and_expiry(suite: Suite) -> None:
    name = suite.environment["NOTES_TABLE"]
    table = suite.clients.dynamodb.describe_table(TableName=name)["Table"]
    ttl = suite.clients.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]

    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_owner"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("expires_at", "ENABLED")


def test_requests_run_at_the_same_time_in_processes_of_their_own(suite: Suite) -> None:
    processes: list[int] = []

    def ask() -> None:
        processes.extend([suite.request("POST", "/v1/echo").json()["process"] for _ in range(20)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(processes) == 80
    assert len(set(processes)) == 2


def test_the_page_of_what_runs_names_everything(suite: Suite) -> None:
    chinese = suite.request("GET", "/").body.decode()
    english = suite.request("GET", "/", headers={"Accept-Language": "en"}).body.decode()

    assert '<html lang="zh-CN">' in chinese
    assert "正在运行的服务" in chinese
    assert '<html lang="en">' in english
    assert "What runs here" in english
    for page in (chinese, english):
        assert "POST /v1/notes/{note_id}" in page
        assert "cardstock-NoteEventsDead" in page
        assert "cron(0 3 1 * ? *)" in page
        assert "AWS::CloudWatch::Alarm" in page


def test_time_passes_over_month_ends_and_goes_on_from_there_after_a_restart(tmp_path: Path) -> None:
    clock = ShiftedClock()
    clock.move_to(datetime(2027, 11, 15, tzinfo=UTC))
    with start(tmp_path, clock=clock, report=lambda _: None) as suite:
        ran = suite.tick(until=datetime(2028, 1, 15, tzinfo=UTC))
        first = seen(suite, "tick 2027-11-30T19:00:00Z")

        assert [entry.due.isoformat() for entry in ran] == ["2027-11-30T19:00:00+00:00", "2027-12-31T19:00:00+00:00"]
        assert first is not None
        late = datetime.fromisoformat(first["now"]["S"]) - datetime(2027, 11, 30, 19, tzinfo=UTC)
        assert timedelta(0) <= late < timedelta(minutes=1)
        assert suite.clock.now() >= datetime(2028, 1, 15, tzinfo=UTC)

    with start(tmp_path) as again:
        assert again.clock.now() >= datetime(2028, 1, 15, tzinfo=UTC)
        assert again.tick(until=again.clock.now()) == []
        refused = [
            again.request("POST", "/later", body=f"days={days}", headers={"Accept-Language": "en"}).body
            for days in ("-1", "0", "401", "0400999", "1.5", "", "1x")
        ]
        page = again.request("GET", "/", headers={"Accept-Language": "en"}).body
        assert again.clock.now() < datetime(2028, 1, 16, tzinfo=UTC)
        answer = again.request("POST", "/later", body="days=31", headers={"Accept-Language": "en"})

        assert all(b"a number from 1 to 400" in body for body in refused)
        assert b"<input name=days type=number min=1 max=400" in page
        assert b'2028-01-31 19:00 UTC</td><td data-head="Result">done' in answer.body
        assert again.clock.now() >= datetime(2028, 2, 15, tzinfo=UTC)


def test_any_number_of_days_up_to_400_passes() -> None:
    clock = ShiftedClock()
    clock.move_to(datetime(2027, 11, 15, tzinfo=UTC))
    with start(clock=clock, report=lambda _: None) as suite:
        answer = suite.request("POST", "/later", body="days=400", headers={"Accept-Language": "en"})

        assert answer.body.count(b'<td data-head="Result">done') >= 13
        assert suite.clock.now() >= datetime(2028, 12, 19, tzinfo=UTC)


def test_a_file_is_read_with_a_signed_link_or_not_at_all(suite: Suite) -> None:
    """As on AWS, whose buckets are not public."""
    bucket = {"Bucket": suite.environment["FILES_BUCKET"], "Key": "a b/ä.txt"}
    suite.clients.s3.put_object(**bucket, Body=b"kept")
    link = suite.clients.s3.generate_presigned_url("get_object", Params=bucket, ExpiresIn=60)
    late = suite.clients.s3.generate_presigned_url("get_object", Params=bucket, ExpiresIn=-1)
    plain, query = link.split("?")
    other = query.replace("X-Amz-Signature=", "X-Amz-Signature=0")
    answers = {
        address: httpx.get(address, trust_env=False)
        for address in (link, plain, f"{plain}?{other}", f"{plain}?X-Amz-Signature=0", f"{plain}?Signature=0", late)
    }

    assert (answers.pop(link).status_code, httpx.get(link, trust_env=False).content) == (200, b"kept")
    assert {answer.status_code for answer in answers.values()} <= {400, 403}, answers
    assert not any(b"kept" in answer.content for answer in answers.values())
    assert httpx.put(plain, content=b"x", trust_env=False).status_code == 403
    assert httpx.get(plain.rsplit("/", 2)[0], trust_env=False).status_code == 403
    assert suite.clients.s3.get_object(**bucket)["Body"].read() == b"kept"


def test_a_schedule_that_keeps_failing_is_given_up_and_its_event_kept() -> None:
    clock = ShiftedClock()
    with start(clock=clock, report=lambda _: None) as suite:
        due = datetime(2026, 12, 31, 19, tzinfo=UTC)
        ran = suite.run_schedule("MonthlyTick", due)
        queue = suite.template.queue("Messaging.TicksDead")
        message = suite.clients.sqs.receive_message(QueueUrl=queue.url, MessageAttributeNames=["All"])["Messages"][0]

        assert ran.error is not None
        assert json.loads(message["Body"]) == {"scheduled_at": "2026-12-31T19:00:00Z"}
        assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "RuntimeError"


def test_state_survives_a_restart_and_nothing_is_lost_or_handled_twice(tmp_path: Path) -> None:
    with start(tmp_path) as suite:
        put(suite, "note_a", "before")
        suite.drain()
        put(suite, "note_b", "unhandled")  # still in the stream, which the emulator forgets
        suite.clients.s3.put_object(Bucket=suite.environment["FILES_BUCKET"], Key="a b/ä.txt", Body=b"kept")
        key = suite.sandbox_key()
        suite.sandbox.pay("ord_1", 100)

    with start(tmp_path) as suite:
        waiting = times(suite, "note_b unhandled")
        suite.drain()
        put(suite, "note_c", "after")
        suite.drain()
        stored = suite.clients.s3.get_object(Bucket=suite.environment["FILES_BUCKET"], Key="a b/ä.txt")

        assert suite.provisioned.tables == ()
        assert waiting == 0
        assert [times(suite, name) for name in ("note_a before", "note_b unhandled", "note_c after")] == [1, 1, 1]
        assert stored["Body"].read() == b"kept"
        assert suite.sandbox_key() == key
        assert suite.sandbox.payments["ord_1"]["amount_fen"] == 100


def test_a_second_suite_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with start(tmp_path), pytest.raises(SuiteError, match="another deployment uses"):
        start(tmp_path)


def test_in_the_background_everything_happens_by_itself() -> None:
    with start(background=True) as suite:
        put(suite, "note_bg", "hello")
        deadline = time.monotonic() + 20
        while not times(suite, "note_bg hello") and time.monotonic() < deadline:
            time.sleep(0.05)

        assert times(suite, "note_bg hello") == 1


def test_an_emulator_that_died_is_reported_with_its_log(tmp_path: Path) -> None:
    engine = Engine.start(state=None, log=tmp_path / "engine.log", region="ap-east-1")
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(EngineError, match=r"stopped with status -9"):
        engine.check()
    engine.stop()


def test_an_emulator_whose_owner_was_killed_saves_its_state_and_stops(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from infra.local.suite import Suite; import time; "
        f"s = Suite.start(state_dir=Path({str(tmp_path)!r}), template=Path({str(TEMPLATE)!r}), background=True); "
        "print(s.engine.endpoint, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().rsplit(":", 1)[1])
        process.kill()
    saved = tmp_path / "engine" / "dynamodb.json"
    deadline = time.monotonic() + 20
    while not saved.exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert saved.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_serve_stops_gracefully_on_a_signal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.demo", "serve", "--port", "0", "--staff-port", "0", "--sandbox-port", "0",
               "--platforms-port", "0"]  # fmt: skip
    with subprocess.Popen(
        [*command, "--no-seed", "--state", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        starting, *lines = [process.stdout.readline() for _ in range(15)]
        # What it prints for operators, with nothing else in the environment.
        command = [sys.executable, "-m", "infra.commands.cli", *lines[6].split()[2:], "--json"]
        verified = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, timeout=60, check=False)
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert starting == "starting\n"
    assert lines[0].startswith("API  ")
    assert lines[1].startswith("staff API  ")
    assert lines[6].startswith("commands ")
    assert [line.split()[:2] for line in lines[8:12]] == [
        ["wechat", "codes"], ["alipay", "codes"], ["douyin", "codes"], ["baidu", "codes"],
    ]  # fmt: skip
    staff = lines[1].split()[-1]
    assert lines[12] == f"as a person    export CARDSTOCK_STAFF_API={staff}\n"
    assert json.loads(verified.stdout)["verified"], verified.stderr
    assert rest == "Stopping.\n"
    assert process.returncode == 0
    assert (tmp_path / "engine" / "dynamodb.json").exists()


def test_a_port_that_is_taken_is_named(suite: Suite) -> None:
    port = int(suite.url.rsplit(":", 1)[1])

    with pytest.raises(SuiteError, match=f"port {port} of 127.0.0.1 is taken"):
        start(ports={"api": port})
