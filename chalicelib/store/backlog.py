from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

COUNTS: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
METRIC = "ApproximateAgeOfOldestMessage"
WINDOW = timedelta(minutes=10)  # the metric comes each minute, some minutes late, and not at all from idle queues
PERIOD = 60


class QueueBacklog:
    """Age of the oldest event in our queues.

    The metric of the last minutes decides, for queues that are empty again too: an archive unpacked just now came long
    ago, and S3 may still be telling of what was in it. The metric is missing for idle queues (and on the local cloud
    altogether). One that says it is empty then has nothing old; where messages wait or are being worked on, nothing is
    known, and the sweep holds. SQS counts are approximate within about a minute: the sweep's grace is far longer.
    """

    def __init__(
        self, sqs: SQSClient, cloudwatch: CloudWatchClient, queues: Sequence[str], clock: Callable[[], datetime]
    ) -> None:
        """`queues`: names or URLs."""
        self._sqs = sqs
        self._cloudwatch = cloudwatch
        self._queues = tuple(queues)
        self._urls: dict[str, str] = {}
        self._clock = clock

    def __call__(self) -> timedelta | None:
        ages = self._ages([queue.rsplit("/", 1)[-1] for queue in self._queues])
        if any(age is None and self._waiting(queue) for queue, age in zip(self._queues, ages, strict=True)):
            return None
        return max((age for age in ages if age is not None), default=timedelta(0))

    def _waiting(self, queue: str) -> bool:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=list(COUNTS))
        counts: dict[Any, str] = dict(answer["Attributes"])
        return any(int(counts[name]) for name in COUNTS)

    def _url(self, queue: str) -> str:
        if "/" in queue:
            return queue
        if queue not in self._urls:
            self._urls[queue] = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return self._urls[queue]

    def _ages(self, names: Sequence[str]) -> list[timedelta | None]:
        """The largest age of the last minutes, for each queue."""
        now = self._clock()
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=[_query(number, name) for number, name in enumerate(names)],
            StartTime=now - WINDOW,
            EndTime=now,
        )
        values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
        found = [values.get(f"q{number}", []) for number in range(len(names))]
        return [timedelta(seconds=max(ages)) if ages else None for ages in found]


def _query(number: int, name: str) -> Any:
    metric = {"Namespace": "AWS/SQS", "MetricName": METRIC, "Dimensions": [{"Name": "QueueName", "Value": name}]}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": "Maximum"}}
