"""Find the log line of a refusal by its `trace_id`: in a local deployment's log, or by a query in a deployed one's."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

LOG: Final = "functions.log"
DEFAULT_STATES: Final = (Path(".local/serve"), Path(".local/demo"))
SHAPE: Final = re.compile(r"[A-Za-z0-9=_-]{1,128}\Z")
FIELDS: Final = ("timestamp", "level", "message", "code", "status", "route", "api", "function_name", "trace_id")

_QUERY: Final = """\
aws logs start-query --start-time $(date -d '-7 days' +%s) --end-time $(date +%s) \\
  --log-group-names $(aws logs describe-log-groups --log-group-name-prefix /aws/lambda/{stack}- \\
    --query 'logGroups[].logGroupName' --output text) \\
  --query-string 'fields @timestamp, level, message, code, status, route, api | filter trace_id = "{trace_id}" or
    request_id = "{trace_id}"'"""


def lines_of(trace_id: str, log: Path) -> Iterator[dict[str, Any]]:
    """What functions logged about a request, oldest first."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if trace_id not in line:
                continue
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and trace_id in (found.get("trace_id"), found.get("request_id")):
                yield found


def insights_query(stack: str, trace_id: str) -> str:
    """The command that starts the same search in CloudWatch Logs Insights."""
    return _QUERY.format(stack=stack, trace_id=trace_id)
