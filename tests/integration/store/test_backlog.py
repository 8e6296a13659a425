from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from chalicelib.store.backlog import QueueBacklog

NOW = datetime.now(UTC)


def backlog(cloud, queues=None):
    queues = queues or json.loads(cloud.settings["BACKLOG_QUEUES"])
    return QueueBacklog(cloud.client("sqs"), cloud.client("cloudwatch"), queues, lambda: NOW)


def measured(cloud, queue, *ages):
    for minute, age in enumerate(ages, start=1):
        cloud.client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": f"imaging-cloud-{queue}"}],
                    "Timestamp": NOW - timedelta(minutes=minute),
                    "Value": age,
                }
            ],
        )


def test_empty_queues_have_nothing_old(cloud):
    assert backlog(cloud)() == timedelta(0)


def test_queues_may_be_named_by_url(cloud):
    assert backlog(cloud, [cloud.queue_url("instances"), "imaging-cloud-notices"])() == timedelta(0)


def test_a_message_without_a_measurement_means_nothing_is_known(cloud):
    cloud.client("sqs").send_message(QueueUrl=cloud.queue_url("instances-single"), MessageBody="x")
    assert backlog(cloud)() is None


def test_where_messages_wait_the_largest_age_of_the_last_minutes_counts(cloud):
    for queue, ages in (("notices", (30, 70)), ("instances", (500, 400))):
        cloud.client("sqs").send_message(QueueUrl=cloud.queue_url(queue), MessageBody="x")
        measured(cloud, queue, *ages)
    assert backlog(cloud)() == timedelta(seconds=500)


def test_a_message_that_is_being_worked_on_counts_too(cloud):
    cloud.client("sqs").send_message(QueueUrl=cloud.queue_url("archives"), MessageBody="x")
    cloud.client("sqs").receive_message(QueueUrl=cloud.queue_url("archives"))
    assert backlog(cloud)() is None


def test_what_was_old_a_few_minutes_ago_still_counts_in_an_empty_queue(cloud):
    measured(cloud, "archives", 9000)
    assert backlog(cloud)() == timedelta(seconds=9000)
