"""Logs and metrics of every function: JSON lines and embedded metrics, by Powertools.

No tracer object: importing it costs about 190 ms even where tracing is off.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="cardstock", utc=True)
metrics = Metrics(namespace="Cardstock", service="cardstock")


def count(name: str, value: int = 1) -> None:
    """Add `value` to the metric `name`, a count."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def flush() -> None:
    """Write the metrics collected by this invocation, if there are any."""
    if metrics.metric_set:
        metrics.flush_metrics()
