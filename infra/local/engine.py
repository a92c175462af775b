"""The AWS services for the functions: an emulator on this machine (or any endpoint), with the template's resources."""

import contextlib
import http.client
import json
import os
import secrets
import socket
import string
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.costs import COSTS_PATH, Costs
from infra.local.template import ROOT, Bucket, Queue, Secret, Table, Template

ACCOUNT = "000000000000"
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SERVICES = "dynamodb,dynamodbstreams,sqs,s3,secretsmanager,sts"
_START_SECONDS = 30.0
_STOP_SECONDS = 60.0


class EngineError(Exception):
    """The emulator did not start, died, or the endpoint does not answer; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Clients:
    """One boto3 client per service. They are safe to share between threads."""

    dynamodb: Any
    streams: Any
    sqs: Any
    s3: Any
    secrets: Any

    def close(self) -> None:
        """Close their connections."""
        for client in (self.dynamodb, self.streams, self.sqs, self.s3, self.secrets):
            client.close()


def connect(endpoint: str | None, region: str) -> Clients:
    """Clients for `endpoint`; None leaves the address to botocore (AWS itself, or a stub in this process)."""
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=64, connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 3})
    session = boto3.session.Session(region_name=region)
    keys: dict[str, str] = {}
    if endpoint is not None:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        config = config.merge(Config(s3={"addressing_style": "path"}))

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint, config=config, **keys)

    return Clients(client("dynamodb"), client("dynamodbstreams"), client("sqs"), client("s3"), client("secretsmanager"))


def reserve(port: int = 0) -> socket.socket:
    """Reserve `port` (0: any free one) of 127.0.0.1 for a server that will bind it soon.

    OSError if another process listens there.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        raise
    return holder


class Engine:
    """A running emulator, or another endpoint."""

    def __init__(self, endpoint: str, process: subprocess.Popen[bytes] | None, log: Path | None) -> None:
        self.endpoint = endpoint
        self._process = process
        self._log = log

    @property
    def pid(self) -> int | None:
        """The process of the emulator; None for somebody else's."""
        return None if self._process is None else self._process.pid

    @classmethod
    def start(
        cls, *, state: Path | None, log: Path, region: str, endpoint: str | None = None, services: str = SERVICES
    ) -> "Engine":
        """Start the emulator on a free port of 127.0.0.1, or take `endpoint`.

        `state` is the folder for its data between runs; None keeps nothing. EngineError if it does not answer.
        """
        if endpoint:
            engine = cls(endpoint, None, None)
            engine._wait("/")
            return engine
        reserved = reserve()
        port = reserved.getsockname()[1]
        environment = {
            **os.environ,
            **CREDENTIALS,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "SERVICES": services,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
            "LOG_LEVEL": "WARNING",
            "PERSIST_STATE": "0",
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("AWS_ENDPOINT_URL", None)
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
            environment |= {
                "PERSIST_STATE": "1",
                "STATE_DIR": str(state),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(state / "s3"),
            }
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.emulator"],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        engine = cls(f"http://127.0.0.1:{port}", process, log)
        try:
            engine._wait("/_ministack/health")
        except EngineError:
            engine.stop()
            raise
        finally:
            reserved.close()
        return engine

    def _wait(self, path: str) -> None:
        address = urlsplit(self.endpoint)
        make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.check()
            connection = make(address.hostname or "127.0.0.1", address.port, timeout=2)
            try:
                connection.request("GET", path)
                connection.getresponse().read()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise EngineError(f"nothing answers at {self.endpoint}: {error}; see {self._log}") from error
                time.sleep(0.02)
            finally:
                connection.close()

    def check(self) -> None:
        """EngineError, with the end of its log, if the emulator has died."""
        if self._process is not None and self._process.poll() is not None:
            assert self._log is not None
            tail = self._log.read_text(errors="replace")[-2000:]
            raise EngineError(f"the emulator stopped with status {self._process.returncode}; {self._log}:\n{tail}")

    def costs(self) -> Costs:
        """The AWS calls of functions since the emulator started, and their capacity by DynamoDB's rules.

        Subtract an earlier value to get those since then. LookupError with another endpoint, which counts nothing.
        """
        try:
            with urllib.request.urlopen(f"{self.endpoint}{COSTS_PATH}", timeout=10) as answer:  # noqa: S310 - our own emulator
                return Costs(**json.load(answer))
        except (OSError, ValueError, TypeError) as error:
            raise LookupError(f"{self.endpoint} counts no costs: {error}") from error

    def stop(self) -> None:
        """Stop the emulator gracefully, so that its state is saved. Another endpoint is left running."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise EngineError(f"the emulator did not stop within {_STOP_SECONDS} s; its state is not saved") from None


@dataclass(frozen=True, slots=True)
class CreatedResources:
    """The names of what `provision` created; without what existed."""

    tables: tuple[str, ...]
    queues: tuple[str, ...]
    buckets: tuple[str, ...]
    secrets: tuple[str, ...]


def provision(template: Template, clients: Clients) -> CreatedResources:
    """Create every table, queue, bucket and secret of the template that does not exist yet. Safe to repeat.

    Existing ones keep their data and their shape: an index or a stream added to the template since then raises
    EngineError, because local data is not migrated. Queues get their present attributes every time.
    """
    return CreatedResources(
        tables=tuple(table.name for table in template.tables if _table(table, clients.dynamodb)),
        queues=tuple(queue.name for queue in _dead_letters_first(template) if _queue(queue, template, clients.sqs)),
        buckets=tuple(bucket.name for bucket in template.buckets if _bucket(bucket, template, clients.s3)),
        secrets=tuple(secret.name for secret in template.secrets if _secret(secret, clients.secrets)),
    )


def _dead_letters_first(template: Template) -> list[Queue]:
    targets = {queue.dead_letter_arn for queue in template.queues}
    return sorted(template.queues, key=lambda queue: queue.arn not in targets)


def _table(table: Table, dynamodb: Any) -> bool:
    try:
        existing = dynamodb.describe_table(TableName=table.name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        dynamodb.create_table(TableName=table.name, **table.definition)
        if table.ttl_attribute:
            dynamodb.update_time_to_live(
                TableName=table.name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )
        return True
    for what, wanted, found in (
        ("keys", table.definition["KeySchema"], existing["KeySchema"]),
        ("indexes", _index_names(table.definition), _index_names(existing)),
        ("stream", "StreamSpecification" in table.definition, "StreamSpecification" in existing),
    ):
        if wanted != found:
            raise EngineError(
                f"table {table.name} has other {what} than the template wants ({found} instead of {wanted}); "
                "delete the state folder and start again"
            )
    return False


def _index_names(definition: Mapping[str, Any]) -> list[str]:
    return sorted(index["IndexName"] for index in definition.get("GlobalSecondaryIndexes") or [])


def _queue(queue: Queue, template: Template, sqs: Any) -> bool:
    attributes = dict(queue.attributes)
    if queue.dead_letter_arn is not None:
        target = template.queue(queue.dead_letter_arn)
        attributes["RedrivePolicy"] = json.dumps(
            {"deadLetterTargetArn": target.arn, "maxReceiveCount": str(queue.max_receive_count)}
        )
    try:
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if arn != queue.arn:
            raise EngineError(f"queue {queue.name} is {arn}, but the template was resolved to {queue.arn}") from None
        return True
    changeable = {key: value for key, value in attributes.items() if key != "FifoQueue"}
    if changeable:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=changeable)
    return False


def _bucket(bucket: Bucket, template: Template, s3: Any) -> bool:
    region = template.place.region
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    made = bucket.name not in {entry["Name"] for entry in s3.list_buckets()["Buckets"]}
    if made:
        s3.create_bucket(Bucket=bucket.name, **location)
        if bucket.versioned:
            s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.notifications:
        configured = [
            {
                "QueueArn": sent.queue_arn,
                "Events": [sent.event],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": sent.prefix}]}},
            }
            for sent in bucket.notifications
        ]
        s3.put_bucket_notification_configuration(
            Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": configured}
        )
    return made


def _secret(secret: Secret, manager: Any) -> bool:
    text = secret.text if secret.text is not None else _generate(secret.generate or {})
    try:
        manager.create_secret(Name=secret.name, SecretString=text)
    except manager.exceptions.ResourceExistsException:
        return False
    return True


def _generate(rules: Mapping[str, Any]) -> str:
    """A random secret by Secrets Manager's rules for GenerateSecretString."""
    groups = [
        group
        for exclude, group in (
            ("ExcludeLowercase", string.ascii_lowercase),
            ("ExcludeUppercase", string.ascii_uppercase),
            ("ExcludeNumbers", string.digits),
            ("ExcludePunctuation", string.punctuation),
        )
        if not rules.get(exclude)
    ]
    left_out = set(str(rules.get("ExcludeCharacters", "")))
    letters = [[letter for letter in group if letter not in left_out] for group in groups]
    alphabet = [letter for group in letters for letter in group]
    length = int(rules.get("PasswordLength", 32))
    word = [secrets.choice(group) for group in letters if group] if rules.get("RequireEachIncludedType", True) else []
    word += [secrets.choice(alphabet) for _ in range(length - len(word))]
    secrets.SystemRandom().shuffle(word)
    password = "".join(word)
    if "GenerateStringKey" not in rules:
        return password
    return json.dumps({**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: password})


def account(template: Template, endpoint: str) -> dict[str, str]:
    """What every process needs to use the local resources: dummy credentials, region, endpoint."""
    return {
        **CREDENTIALS,
        "AWS_REGION": template.place.region,
        "AWS_DEFAULT_REGION": template.place.region,
        "AWS_ENDPOINT_URL": endpoint,
    }


def environment(template: Template, endpoint: str) -> dict[str, str]:
    """What a command needs to use all resources: the variables of all functions, and the account.

    TemplateError if two functions disagree on a variable.
    """
    return {**template.environment(), **account(template, endpoint)}
