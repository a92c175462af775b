"""Sending to queues: a client only when something is sent, short waits, and an answer for every way it can fail."""

import os
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from cardstock.aws.queues import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, Queue, sqs_client
from cardstock.errors import UnavailableError
from tests.house import faults
from tests.house.cloud import Cloud

URL = "https://sqs.ap-east-1.amazonaws.com/123456789012/card-views"


def test_a_message_arrives_as_it_was_sent(cloud: Cloud) -> None:
    with faults.watch() as calls:
        Queue(URL).send('{"text":"名片"}')

    assert calls == ["sqs.SendMessage"]
    assert cloud.messages(URL) == [{"text": "名片"}]


def test_many_messages_go_ten_a_call(cloud: Cloud) -> None:
    with faults.watch() as calls:
        Queue(URL).send_all([f'{{"n":{number}}}' for number in range(25)])

    assert calls == ["sqs.SendMessageBatch"] * 3
    assert sorted(message["n"] for message in cloud.messages(URL)) == list(range(25))


def test_no_messages_are_no_call(cloud: Cloud) -> None:
    with faults.watch() as calls:
        Queue(URL).send_all([])

    assert calls == []


def test_a_delayed_message_is_not_there_yet(cloud: Cloud) -> None:
    Queue(URL).send("{}", delay_seconds=900)

    assert cloud.messages(URL) == []


def test_an_answer_that_got_lost_once_is_asked_for_again(cloud: Cloud) -> None:
    with faults.at(0, "lose_answer") as calls:
        Queue(URL).send("{}")

    assert len(calls) == 2


def test_a_queue_that_never_answers_is_unavailable(cloud: Cloud) -> None:
    with faults.at(0, "lose_answer", times=faults.ALWAYS) as calls, pytest.raises(UnavailableError):
        Queue(URL).send("{}")

    assert len(calls) == 3


def test_a_queue_that_is_not_there_is_a_defect(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="NonExistentQueue"):
        Queue(URL + "-x").send("{}")


def test_the_client_waits_seconds_not_minutes(cloud: Cloud) -> None:
    config = sqs_client().meta.config

    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    assert CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS <= 5


@pytest.mark.parametrize("function", ["cards/api", "cards/on_view"])
def test_importing_a_function_makes_no_client_of_a_queue(function: str) -> None:
    module = f"functions.{function.replace('/', '.')}.app"
    code = (
        f"import sys, {module}; from cardstock.aws import queues as sqs; "
        "sys.exit(sqs.sqs_client.cache_info().currsize or 'boto3' in sys.modules or 'segno' in sys.modules)"
    )
    path = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}

    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **path}, check=False)

    assert done.returncode == 0
