"""What is asked of the API, how it answers, and what webhooks are told."""

from deploy.tools.panels import Board, Panel, per_s, quantile, stat

REQUESTS = "ytrag_http_request_duration_seconds_count"
ERRORS = f'sum(rate({REQUESTS}{{code=~"5.."}}[$__rate_interval])) / sum(rate({REQUESTS}[$__rate_interval]))'

API = Board(
    "ytrag-api",
    "API & webhooks",
    "What is asked of the API, how it answers, and what webhooks are told.",
    (
        stat(
            "Errors of ours",
            "Share of requests answered with 5xx. The objective is 0.1 % in 30 days.",
            ERRORS,
            "percentunit",
            runbook="ApiErrorBudgetBurn",
        ),
        stat("Requests", "A second.", f"sum(rate({REQUESTS}[$__rate_interval]))", "reqps"),
        Panel(
            "Requests by route",
            "A second.",
            {"{{method}} {{route}}": per_s(REQUESTS, "method, route")},
            "reqps",
        ),
        Panel(
            "Answers by code",
            "A second.",
            {"{{code}}": per_s(REQUESTS, "code")},
            "reqps",
            runbook="ApiErrorBudgetBurn",
        ),
        Panel(
            "Errors by route",
            "5xx a second.",
            {"{{route}}": per_s(REQUESTS, "route", 'code=~"5.."')},
            "reqps",
            runbook="ApiErrorBudgetBurn",
        ),
        Panel(
            "Time to answer",
            "To the first byte, of all requests.",
            {
                "half": quantile(0.5, "ytrag_http_request_duration_seconds"),
                "95 %": quantile(0.95, "ytrag_http_request_duration_seconds"),
                "99 %": quantile(0.99, "ytrag_http_request_duration_seconds"),
            },
            "s",
        ),
        Panel(
            "Time to answer, by route",
            "95 % of the requests are answered in less than this.",
            {"{{route}}": quantile(0.95, "ytrag_http_request_duration_seconds", "route")},
            "s",
        ),
        Panel(
            "Submissions",
            "A second, by answer.",
            {"{{result}}": per_s("ytrag_jobs_submitted_total", "result")},
            "reqps",
        ),
        Panel(
            "Searches",
            "95 % take less than this, by mode.",
            {"{{mode}}": quantile(0.95, "ytrag_search_seconds", "mode")},
            "s",
        ),
        Panel(
            "Calls of webhooks",
            "A second, each try, by how it ended.",
            {"{{outcome}}": per_s("ytrag_webhook_deliveries_total", "outcome")},
            "reqps",
            runbook="WebhookFailureRatioHigh",
        ),
    ),
)
