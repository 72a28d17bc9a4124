"""Every metric that a process counts for itself: name, help, labels, buckets; seconds and bytes throughout.

No label ever holds a job, a video, a URL or the text of a message.
"""

import os
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, values

from monitoring.processes import PLACE

# Taken out, so that what this process starts does not write into its files.
if place := os.environ.pop(PLACE, ""):
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # not annotated

STAGE_BUCKETS = (0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
JOB_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
FACTOR_BUCKETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3)
ERROR_BUCKETS = (0.25, 0.5, 0.67, 0.8, 0.9, 1.1, 1.25, 1.5, 2, 4)
LOAD_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

OUTCOMES = ("completed", "failed", "retrying", "stopped", "waiting")
"""How an attempt at a stage can end."""
ENDS = ("completed", "failed", "cancelled")
"""How a job can end."""
UNMATCHED = "unmatched"
"""Stands for every path that is no route, so that strangers cannot make series."""

build_info = Gauge(
    "ytrag_build_info", "1; the label tells which version runs.", ["version"], multiprocess_mode="max"
)

stage_duration_seconds = Histogram(
    "ytrag_stage_duration_seconds",
    "How long an attempt at a stage took, by how it ended.",
    ["stage", "outcome"],
    buckets=STAGE_BUCKETS,
)
stage_queue_wait_seconds = Histogram(
    "ytrag_stage_queue_wait_seconds",
    "How long a message was ready in its queue before a worker began it.",
    ["stage", "priority"],
    buckets=STAGE_BUCKETS,
)
stages_in_progress = Gauge(
    "ytrag_stages_in_progress", "Attempts that run now.", ["stage"], multiprocess_mode="livesum"
)
stage_retries_total = Counter("ytrag_stage_retries_total", "Attempts that will be made again.", ["stage"])
stage_failures_total = Counter(
    "ytrag_stage_failures_total", "Attempts that ended in an error.", ["stage", "code"]
)
dead_lettered_total = Counter(
    "ytrag_dead_lettered_total",
    "Work given up that should have worked: its attempts are spent, or nobody could settle it. "
    "What cannot work (a private video) fails at once and is not counted.",
    ["stage"],
)

jobs_submitted_total = Counter(
    "ytrag_jobs_submitted_total", "Requests for a job, by how they were answered.", ["result"]
)
jobs_finished_total = Counter("ytrag_jobs_finished_total", "Jobs that ended, by how.", ["outcome"])
job_duration_seconds = Histogram(
    "ytrag_job_duration_seconds",
    "From a job's first start to its end.",
    ["outcome"],
    buckets=JOB_BUCKETS,
)
time_to_first_start_seconds = Histogram(
    "ytrag_time_to_first_start_seconds",
    "From when a job was wanted to when its first stage began.",
    ["priority"],
    buckets=JOB_BUCKETS,
)
estimate_error_ratio = Histogram(
    "ytrag_estimate_error_ratio",
    "Work that was foretold for a completed job, over the work that it took; 1 is right.",
    buckets=ERROR_BUCKETS,
)

transcription_realtime_factor = Histogram(
    "ytrag_transcription_realtime_factor",
    "Time that recognising a chunk took, over the chunk's length; below 1 is faster than speech.",
    ["model", "device"],
    buckets=FACTOR_BUCKETS,
)
transcribed_audio_seconds_total = Counter(
    "ytrag_transcribed_audio_seconds_total", "Sound that was recognised.", ["model"]
)
model_load_seconds = Histogram(
    "ytrag_model_load_seconds", "How long a model took to load.", ["model"], buckets=LOAD_BUCKETS
)
download_bytes_total = Counter("ytrag_download_bytes_total", "Media that was fetched from sources.")
webhook_deliveries_total = Counter(
    "ytrag_webhook_deliveries_total", "Calls of webhooks, each try, by how they ended.", ["outcome"]
)

http_request_duration_seconds = Histogram(
    "ytrag_http_request_duration_seconds",
    "From a request's arrival to its answer's first byte; the route is the rule, not the path.",
    ["method", "route", "code"],
    buckets=REQUEST_BUCKETS,
)
search_seconds = Histogram(
    "ytrag_search_seconds", "How long a search took.", ["mode"], buckets=REQUEST_BUCKETS
)


def begin_worker(
    version: str, *, stages: Iterable[str], priorities: Iterable[str], codes: Iterable[str]
) -> None:
    """Have every series of a worker's begin at zero: Prometheus cannot see a first rise from nothing."""
    build_info.labels(version).set(1)
    named, ranks, reasons = tuple(stages), tuple(priorities), tuple(codes)
    for stage in named:
        for family in (stages_in_progress, stage_retries_total, dead_lettered_total):
            family.labels(stage)
        for outcome in OUTCOMES:
            stage_duration_seconds.labels(stage, outcome)
        for code in reasons:
            stage_failures_total.labels(stage, code)
        for priority in ranks:
            stage_queue_wait_seconds.labels(stage, priority)
    for priority in ranks:
        time_to_first_start_seconds.labels(priority)
    for outcome in ("delivered", "failed"):
        webhook_deliveries_total.labels(outcome)
    begin_jobs()


def begin_jobs() -> None:
    """The same for whatever ends jobs."""
    for outcome in ENDS:
        jobs_finished_total.labels(outcome)
        job_duration_seconds.labels(outcome)


def begin_api(version: str, *, modes: Iterable[str]) -> None:
    """The same for the API."""
    build_info.labels(version).set(1)
    for result in ("accepted", "duplicate", "refused"):
        jobs_submitted_total.labels(result)
    for mode in modes:
        search_seconds.labels(mode)
    http_request_duration_seconds.labels("GET", UNMATCHED, "500")
    begin_jobs()
