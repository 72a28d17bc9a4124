"""The first look: do videos flow, what is slow, and why."""

from deploy.tools.panels import Board, Panel, per_s, quantile, stat

DONE = 'outcome="completed"'

OVERVIEW = Board(
    "ytrag-overview",
    "Overview",
    "Do videos flow, what is slow, and why.",
    (
        stat("At work", "Jobs of which a stage has begun.", 'max(ytrag_jobs{state="running"})'),
        stat(
            "Waiting",
            "Jobs that are pending.",
            'max(ytrag_jobs{state="pending"})',
            runbook="EnqueuedJobsHigh",
        ),
        stat(
            "Completed",
            "Jobs that ended well in the time shown.",
            'sum(increase(ytrag_jobs_finished_total{outcome="completed"}[$__range]))',
            runbook="NoSuccess",
        ),
        stat(
            "Failed, unattended",
            "Failed within 24 hours, neither retried nor acknowledged.",
            "max(ytrag_jobs_failed_unattended)",
            runbook="FailedJobsHigh",
        ),
        stat(
            "Longest wait",
            "For how long the oldest pending job has waited.",
            'max(ytrag_oldest_job_age_seconds{state="pending"})',
            "s",
            runbook="OldestJobWaitHigh",
        ),
        stat(
            "Least free disk",
            "Free share of the fullest volume.",
            "min(ytrag_storage_free_bytes / ytrag_storage_size_bytes)",
            "percentunit",
            runbook="DiskLow",
        ),
        Panel(
            "Jobs that have not ended",
            "By state. A growing band of pending ones means that more comes in than is done.",
            {"{{state}}": 'max by (state) (ytrag_jobs{state=~"pending|running|retrying|scheduled"})'},
            stacked=True,
            runbook="EnqueuedJobsHigh",
        ),
        Panel(
            "Jobs that end",
            "A second, by how they end.",
            {"{{outcome}}": per_s("ytrag_jobs_finished_total", "outcome")},
            "ops",
            runbook="NoSuccess",
        ),
        Panel(
            "Time to the first start",
            "From when a job was wanted to when its first stage began.",
            {
                "half": quantile(0.5, "ytrag_time_to_first_start_seconds"),
                "95 %": quantile(0.95, "ytrag_time_to_first_start_seconds"),
            },
            "s",
            runbook="OldestJobWaitHigh",
        ),
        Panel(
            "How long completed jobs took",
            "From their first start to their end.",
            {
                "half": quantile(0.5, "ytrag_job_duration_seconds", matchers=DONE),
                "95 %": quantile(0.95, "ytrag_job_duration_seconds", matchers=DONE),
            },
            "s",
        ),
        Panel(
            "Attempts that fail",
            "A second, by stage: those that will be made again too.",
            {"{{stage}}": per_s("ytrag_stage_duration_seconds_count", "stage", 'outcome=~"failed|retrying"')},
            "ops",
            runbook="StageFailureRatioHigh",
        ),
        Panel(
            "Sound recognised",
            "Seconds of sound a second, by model: above 1, an hour of video takes less than an hour.",
            {"{{model}}": per_s("ytrag_transcribed_audio_seconds_total", "model")},
            runbook="TranscriptionSlow",
        ),
    ),
)
