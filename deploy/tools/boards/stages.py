"""How long each stage takes, and how it ends."""

from deploy.tools.panels import Board, Panel, per_s, quantile

DONE = 'outcome="completed"'

STAGES = Board(
    "ytrag-stages",
    "Stages",
    "How long each stage takes, and how it ends.",
    (
        Panel(
            "Attempts at work",
            "That run now, by stage.",
            {"{{stage}}": "sum by (stage) (ytrag_stages_in_progress)"},
            stacked=True,
            runbook="StageStuck",
        ),
        Panel(
            "Attempts that end",
            "A second, by how. waiting: put back until a slot is free; stopped: cancelled, or put back.",
            {"{{outcome}}": per_s("ytrag_stage_duration_seconds_count", "outcome")},
            "ops",
            runbook="StageFailureRatioHigh",
        ),
        Panel(
            "Duration, half",
            "Half of the completed attempts take less than this.",
            {"{{stage}}": quantile(0.5, "ytrag_stage_duration_seconds", "stage", DONE)},
            "s",
        ),
        Panel(
            "Duration, 95 %",
            "95 % of the completed attempts take less than this.",
            {"{{stage}}": quantile(0.95, "ytrag_stage_duration_seconds", "stage", DONE)},
            "s",
        ),
        Panel(
            "Failures by code",
            "A second; runbooks and `ytrag status` say what each code asks for.",
            {"{{stage}} {{code}}": per_s("ytrag_stage_failures_total", "stage, code") + " > 0"},
            "ops",
            runbook="StageFailureRatioHigh",
        ),
        Panel(
            "Retries",
            "A second: attempts that will be made again.",
            {"{{stage}}": per_s("ytrag_stage_retries_total", "stage")},
            "ops",
        ),
        Panel(
            "Given up",
            "In the time shown: work that should have worked.",
            {"{{stage}}": "sum by (stage) (increase(ytrag_dead_lettered_total[$__range]))"},
            runbook="DeadLetters",
        ),
        Panel(
            "Recognition speed",
            "Time that recognising takes over the length of the sound; below 1 is faster than speech.",
            {
                "half, {{model}}": quantile(0.5, "ytrag_transcription_realtime_factor", "model"),
                "90 %, {{model}}": quantile(0.9, "ytrag_transcription_realtime_factor", "model"),
            },
            runbook="TranscriptionSlow",
        ),
        Panel(
            "Downloaded",
            "Bytes a second from all sources.",
            {"all sources": "sum(rate(ytrag_download_bytes_total[$__rate_interval]))"},
            "Bps",
            runbook="SourceBlocked",
        ),
        Panel(
            "Loading models",
            "How long models took to load, on average in the time shown.",
            {
                "{{model}}": "sum by (model) (ytrag_model_load_seconds_sum) "
                "/ sum by (model) (ytrag_model_load_seconds_count)"
            },
            "s",
        ),
        Panel(
            "Work foretold over work done",
            "Of completed jobs; 1 is a right estimate, 2 foretold twice too much.",
            {
                "half": quantile(0.5, "ytrag_estimate_error_ratio"),
                "90 %": quantile(0.9, "ytrag_estimate_error_ratio"),
            },
        ),
    ),
)
