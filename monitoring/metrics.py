"""Every metric: name, help, labels and buckets; seconds and bytes throughout."""

from prometheus_client import Counter, Gauge, Histogram

STAGE_BUCKETS = (0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)

stage_duration_seconds = Histogram(
    "ytrag_stage_duration_seconds",
    "How long a stage's attempt took, by how it ended.",
    ["stage", "outcome"],
    buckets=STAGE_BUCKETS,
)
stages_in_progress = Gauge("ytrag_stages_in_progress", "Attempts that run now.", ["stage"])
stage_failures_total = Counter(
    "ytrag_stage_failures_total", "Attempts that ended in an error.", ["stage", "code"]
)
stage_retries_total = Counter("ytrag_stage_retries_total", "Attempts that will be made again.", ["stage"])
transcribed_audio_seconds_total = Counter(
    "ytrag_transcribed_audio_seconds_total", "Sound that was recognised.", ["model"]
)
jobs_submitted_total = Counter(
    "ytrag_jobs_submitted_total", "Requests for a job, by how they were answered.", ["result"]
)
