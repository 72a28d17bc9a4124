"""What each alert is given to see, minute by minute, and what it is to say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Phase = tuple[float | None, int]
"""A value, or for a counter its rise a minute, and for how many minutes; None: nobody tells."""

Said = tuple[dict[str, str], str]
"""Labels (without the alert's name) and summary of an alert that fires."""

SILENCE: list[Said] = []


@dataclass(frozen=True)
class Case:
    """Series by name, and by minute which alerts of this name fire."""

    alert: str
    severity: str
    series: dict[str, list[str]]
    said: dict[int, list[Said]] = field(default_factory=dict)


def gauge(*phases: Phase) -> list[str]:
    """One sample a minute."""
    return ["_" if value is None else f"{value:g}" for value, minutes in phases for _ in range(minutes)]


def counter(*phases: Phase) -> list[str]:
    """One sample a minute, of what has been counted by then."""
    count, samples = 0.0, list[str]()
    for rise, minutes in phases:
        for _ in range(minutes):
            count += rise or 0
            samples.append(f"{count:g}")
    return samples


def over(
    alert: str,
    severity: str,
    name: str,
    below: float,
    above: float,
    summary: str,
    *,
    for_minutes: int = 5,
    more: dict[str, list[str]] | None = None,
    **labels: str,
) -> Case:
    """A gauge that is just below for ten minutes, then just above for longer than the alert waits."""
    begins, ends = 10, 15 + for_minutes
    said = {
        begins - 1: SILENCE,
        begins + for_minutes - 1: SILENCE,
        begins + for_minutes + 1: [(labels, summary)],
        ends + 1: SILENCE,
    }
    series = {name: gauge((below, begins), (above, ends - begins), (below, 10)), **(more or {})}
    return Case(alert, severity, series, said)


def runs(*phases: tuple[float, float, int]) -> dict[str, list[str]]:
    """Attempts at a stage: completed and failed ones a minute, and for how many minutes."""
    name = 'ytrag_stage_duration_seconds_count{stage="embed",outcome="%s"}'
    return {
        name % "completed": counter(*((well, minutes) for well, _, minutes in phases)),
        name % "failed": counter(*((badly, minutes) for _, badly, minutes in phases)),
        name % "stopped": counter((100, sum(minutes for *_, minutes in phases))),
    }


def calls(*phases: tuple[float, float, int]) -> dict[str, list[str]]:
    """Calls of webhooks, likewise."""
    name = 'ytrag_webhook_deliveries_total{outcome="%s"}'
    return {
        name % "delivered": counter(*((well, minutes) for well, _, minutes in phases)),
        name % "failed": counter(*((badly, minutes) for _, badly, minutes in phases)),
    }


def answers(*phases: tuple[float, int]) -> dict[str, list[str]]:
    """Of a thousand requests a minute so many that end in an error of ours."""
    name = 'ytrag_http_request_duration_seconds_count{method="GET",route="/api/jobs",code="%s"}'
    return {
        name % "200": counter(*((1000 - errors, minutes) for errors, minutes in phases)),
        name % "500": counter(*((errors, minutes) for errors, minutes in phases)),
    }


def recognitions(*phases: tuple[float, int]) -> dict[str, list[str]]:
    """Of a hundred chunks a minute so many that are recognised in less than they last."""
    name = 'ytrag_transcription_realtime_factor_bucket{model="small",device="cpu",le="%s"}'
    every = counter((100, sum(minutes for _, minutes in phases)))
    quick = counter(*((count, minutes) for count, minutes in phases))
    return {name % "1": quick, name % "1.5": every, name % "+Inf": every}


READY = 'rabbitmq_detailed_queue_messages_ready{vhost="ytrag",queue="%s"}'
CONSUMERS = 'rabbitmq_detailed_queue_consumers{vhost="ytrag",queue="%s"}'
DELAYED = {READY % "embed.DQ": gauge((999, 30)), CONSUMERS % "embed.DQ": gauge((0, 30))}
AGE = 'ytrag_oldest_job_age_seconds{state="%s"}'
DONE = 'ytrag_jobs_finished_total{outcome="completed"}'
NOTHING_DONE = "No job has completed in 2 hours, and one has waited for 2h 0m 1s"
LAST_RUN = 'ytrag_dispatcher_last_run_timestamp_seconds{task="dispatch"}'
EMBED, SMALL = {"stage": "embed"}, {"model": "small"}
TOLD = ("ytrag_stages_in_progress", "ytrag_http_request_duration_seconds_count", READY % "embed")

CASES: Sequence[Case] = (
    over(
        "EnqueuedJobsHigh",
        "warning",
        'ytrag_jobs{state="pending"}',
        100,
        101,
        "101 jobs wait to be worked on",
        more={'ytrag_jobs{state="completed"}': gauge((5000, 30))},
    ),
    over(
        "QueueBacklogHigh",
        "warning",
        READY % "embed",
        100,
        101,
        "101 messages wait in the queue embed",
        more=DELAYED,
        queue="embed",
    ),
    over(
        "QueueNoConsumers",
        "critical",
        CONSUMERS % "embed",
        1,
        0,
        "Nobody serves the queue embed, in which 3 messages wait",
        more={READY % "embed": gauge((3, 30)), **DELAYED},
        queue="embed",
    ),
    over(
        "QueueNoConsumers",
        "critical",
        READY % "embed",
        0,
        1,
        "Nobody serves the queue embed, in which 1 messages wait",
        more={CONSUMERS % "embed": gauge((0, 30))},
        queue="embed",
    ),
    over("OldestJobWaitHigh", "warning", AGE % "pending", 1800, 1801, "A job has waited for 30m 1s"),
    over(
        "NoSuccess",
        "critical",
        AGE % "pending",
        7200,
        7201,
        NOTHING_DONE,
        for_minutes=0,
        more={DONE: counter((0, 30))},
    ),
    Case(
        "NoSuccess",
        "critical",
        {AGE % "pending": gauge((7201, 170)), DONE: counter((0, 5), (1, 1), (0, 134), (1, 1), (0, 29))},
        {60: SILENCE, 120: SILENCE, 130: [({}, NOTHING_DONE)], 145: SILENCE},
    ),
    over(
        "FailedJobsHigh",
        "warning",
        "ytrag_jobs_failed_unattended",
        10,
        11,
        "11 jobs failed within 24 hours and nobody has looked at them",
        more={'ytrag_jobs{state="failed"}': gauge((500, 30))},
    ),
    over(
        "StageStuck",
        "warning",
        AGE % "running",
        14400,
        14401,
        "A job has run for 4h 0m 1s",
        for_minutes=10,
    ),
    Case(
        "StageFailureRatioHigh",
        "warning",
        runs((81, 19, 60), (79, 21, 60), (100, 0, 60)),
        {59: SILENCE, 95: [(EMBED, "21% of the attempts at embed fail")], 170: SILENCE},
    ),
    Case(
        "StageFailureRatioHigh",
        "warning",
        runs((0, 0.3, 60), (0, 0.4, 60)),
        {59: SILENCE, 110: [(EMBED, "100% of the attempts at embed fail")]},
    ),
    Case(
        "DeadLetters",
        "warning",
        {'ytrag_dead_lettered_total{stage="embed"}': counter((0, 20), (1, 1), (0, 30))},
        {
            19: SILENCE,
            21: [(EMBED, "Work was given up in embed that should have worked")],
            30: [(EMBED, "Work was given up in embed that should have worked")],
            37: SILENCE,
        },
    ),
    over(
        "SourceBlocked",
        "warning",
        'ytrag_source_circuit_open{source="youtube.com"}',
        0,
        1,
        "youtube.com turns us away",
        for_minutes=10,
        source="youtube.com",
    ),
    Case(
        "TranscriptionSlow",
        "warning",
        recognitions((91, 90), (85, 120), (100, 100)),
        {
            89: SILENCE,
            115: SILENCE,
            200: [(SMALL, "Recognising with small takes 1.2 times as long as the sound lasts")],
            300: SILENCE,
        },
    ),
    over(
        "OutboxLagHigh",
        "critical",
        "ytrag_outbox_oldest_age_seconds",
        300,
        301,
        "A message has been due for 5m 1s and is not in RabbitMQ",
    ),
    Case(
        "DispatcherStalled",
        "critical",
        {LAST_RUN: [*counter((60, 10)), *gauge((600, 20)), *gauge((1860, 10))]},
        {
            20: SILENCE,
            25: SILENCE,
            27: [({"task": "dispatch"}, "No dispatcher has got through dispatch for 17m 0s")],
            31: SILENCE,
        },
    ),
    Case(
        "WebhookFailureRatioHigh",
        "warning",
        calls((51, 49, 60), (49, 51, 60), (100, 0, 60)),
        {59: SILENCE, 115: [({}, "51% of the calls of webhooks fail")], 170: SILENCE},
    ),
    Case(
        "WebhookFailureRatioHigh",
        "warning",
        calls((0, 0.15, 60), (0, 0.2, 60)),
        {59: SILENCE, 115: [({}, "100% of the calls of webhooks fail")]},
    ),
    Case(
        "ApiErrorBudgetBurn",
        "critical",
        answers((0, 360), (14, 60), (16, 60), (0, 30)),
        {
            419: SILENCE,
            479: [({}, "1.6% of the requests of the last hour were answered with an error of ours")],
            490: SILENCE,
        },
    ),
    Case(
        "ApiErrorBudgetBurn",
        "warning",
        answers((5.9, 400), (6.5, 400), (0, 60)),
        {
            399: SILENCE,
            799: [({}, "0.65% of the requests of the last 6 hours were answered with an error of ours")],
            835: SILENCE,
        },
    ),
    over(
        "DiskLow",
        "critical",
        'ytrag_storage_free_bytes{volume="data"}',
        10,
        9,
        "9% of the volume data is free",
        for_minutes=10,
        more={'ytrag_storage_size_bytes{volume="data"}': gauge((100, 40))},
        volume="data",
    ),
    over(
        "TargetDown",
        "critical",
        'up{job="api",instance="api:9100"}',
        1,
        0,
        "api at api:9100 does not answer",
        for_minutes=2,
        job="api",
        instance="api:9100",
    ),
    Case(
        "MetricsAbsent",
        "critical",
        {"ytrag_jobs": gauge((1, 10), (None, 20), (1, 10)), **{name: gauge((1, 40)) for name in TOLD}},
        {14: SILENCE, 20: SILENCE, 26: [({"metric": "ytrag_jobs"}, "Nobody tells ytrag_jobs")], 31: SILENCE},
    ),
    over(
        "RabbitMQAlarm",
        "critical",
        'rabbitmq_alarms_memory_used_watermark{instance="rabbitmq:15692"}',
        0,
        1,
        "RabbitMQ at rabbitmq:15692 holds up all publishers",
        for_minutes=1,
        more={'rabbitmq_alarms_free_disk_space_watermark{instance="rabbitmq:15692"}': gauge((0, 30))},
        instance="rabbitmq:15692",
    ),
    Case("Watchdog", "none", {}, {5: [({}, "The way from Prometheus to Alertmanager is open")]}),
)

DAY = 24 * 60
HEALTHY: dict[str, list[str]] = {
    'ytrag_jobs{state="pending"}': [f"{minute % 90}" for minute in range(DAY)],
    'ytrag_jobs{state="failed"}': gauge((2000, DAY)),
    "ytrag_jobs_failed_unattended": gauge((10, DAY)),
    AGE % "pending": [f"{minute % 25 * 60}" for minute in range(DAY)],
    AGE % "running": [f"{minute % 200 * 60}" for minute in range(DAY)],
    DONE: counter((0.2, DAY)),
    READY % "transcribe_chunk": [f"{minute % 100}" for minute in range(DAY)],
    CONSUMERS % "transcribe_chunk": gauge((1, DAY)),
    READY % "embed": gauge((0, DAY)),
    CONSUMERS % "embed": gauge((0, DAY)),
    **DELAYED,
    **runs((20, 1, DAY)),
    **calls((10, 1, DAY)),
    **answers((0.2, DAY)),
    **recognitions((98, DAY)),
    'ytrag_dead_lettered_total{stage="embed"}': gauge((7, DAY)),
    'ytrag_source_circuit_open{source="youtube.com"}': gauge((0, DAY)),
    "ytrag_outbox_oldest_age_seconds": [f"{minute % 4}" for minute in range(DAY)],
    LAST_RUN: counter((60, DAY)),
    'ytrag_storage_free_bytes{volume="data"}': gauge((30, DAY)),
    'ytrag_storage_size_bytes{volume="data"}': gauge((100, DAY)),
    'up{job="api",instance="api:9100"}': gauge((1, DAY)),
    "ytrag_stages_in_progress": gauge((1, DAY)),
    'rabbitmq_alarms_memory_used_watermark{instance="rabbitmq:15692"}': gauge((0, DAY)),
}
"""A day of good traffic, with ten failures that nobody looked at and two thousand old ones."""


def as_promtool(case: Case, rules: dict[str, Any]) -> dict[str, Any]:
    """The case as a test of promtool; what does not vary in the alert's annotations comes from its rule."""
    return {
        "interval": "1m",
        "input_series": series(case.series),
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": case.alert,
                "exp_alerts": [
                    {
                        "exp_labels": {"severity": case.severity, **labels},
                        "exp_annotations": {**rules["annotations"], "summary": summary},
                    }
                    for labels, summary in said
                ],
            }
            for minute, said in case.said.items()
        ],
    }


def series(named: dict[str, list[str]]) -> list[dict[str, str]]:
    """Series as promtool takes them."""
    return [{"series": name, "values": " ".join(samples)} for name, samples in named.items()]
