"""Metrics as CloudWatch's embedded metric format: JSON lines on standard output, of which CloudWatch makes metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from django.conf import settings

from ticketing.observability.metrics import Metric

NAMESPACE = "Ticketing"


def record_request(method: str, route: str, status: int, milliseconds: float) -> None:
    """By stage, and by stage and route; method and status can be searched for."""
    metrics = _new_metrics()
    metrics.add_dimensions(Stage=settings.STAGE, Route=route)
    metrics.add_metadata("method", method)
    metrics.add_metadata("status", status)
    metrics.add_metric(Metric.REQUESTS, "Count", 1)
    metrics.add_metric(Metric.ERRORS, "Count", int(status >= 500))
    metrics.add_metric(Metric.MILLISECONDS, "Milliseconds", round(milliseconds, 1))
    _emit(metrics)


def count(metric: Metric, amount: int) -> None:
    """By stage."""
    metrics = _new_metrics()
    metrics.add_metric(metric, "Count", amount)
    _emit(metrics)


def _new_metrics() -> AmazonCloudWatchEMFProvider:
    """One for each line: the library's objects are not made for threads."""
    metrics = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, dimension_set={"Stage": settings.STAGE})
    metrics.service = ""  # POWERTOOLS_SERVICE_NAME would become one more dimension
    return metrics


def _emit(metrics: AmazonCloudWatchEMFProvider) -> None:
    sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
    sys.stdout.flush()
