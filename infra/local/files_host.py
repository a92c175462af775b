"""CloudFront in front of a bucket on this machine: its files by GET and HEAD, with the headers of the policy.

Beside those goes out what the files say of themselves: media type, disposition, ETag. There is no listing.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from infra.local.server import HttpAnswer
from infra.local.small_server import SmallServer
from infra.local.template import FilesHost


class FilesServer:
    """Serves one host of files from `start` to `stop`."""

    def __init__(self, host: FilesHost, s3: Any) -> None:
        self._host, self._s3 = host, s3
        self._server = SmallServer(self._answer, name="files")

    def start(self, *, port: int = 0) -> str:
        """Serve on `port` (0: any free one). Returns the URL."""
        return self._server.start(port=port)

    def stop(self) -> None:
        """Stop serving. Safe to call twice."""
        self._server.stop()

    def _answer(self, method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> HttpAnswer:
        """CloudFront answers a file that is not there as the bucket does to those who may not list it: 403."""
        own = {**self._host.headers, "content-type": "application/xml"}
        if method not in ("GET", "HEAD"):
            return HttpAnswer(403, own, b"<Error><Code>MethodNotAllowed</Code></Error>")
        key = unquote(target.partition("?")[0]).removeprefix("/")
        try:
            found = self._s3.get_object(Bucket=self._host.bucket, Key=key) if key else None
        except ClientError:
            found = None
        if found is None:
            return HttpAnswer(403, {**own, "cache-control": "no-store"}, b"<Error><Code>AccessDenied</Code></Error>")
        said = {"content-type": found["ContentType"], "etag": found["ETag"]}
        if "ContentDisposition" in found:
            said["content-disposition"] = found["ContentDisposition"]
        return HttpAnswer(200, {**self._host.headers, **said}, found["Body"].read())
