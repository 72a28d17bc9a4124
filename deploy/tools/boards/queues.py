"""What waits where, and who takes it."""

from deploy.tools.panels import Board, Panel, quantile

OURS = 'queue!~".+[.](DQ|XQ)"'

QUEUES = Board(
    "ytrag-queues",
    "Queues",
    "What waits where, and who takes it.",
    (
        Panel(
            "Ready messages",
            "Of each queue in RabbitMQ; what workers have fetched already is not among them.",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{{{OURS}}})"},
            runbook="QueueBacklogHigh",
        ),
        Panel(
            "Messages with workers",
            "Fetched and not yet acknowledged.",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{OURS}}})"},
        ),
        Panel(
            "Consumers",
            "Connections of workers that take from the queue.",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_consumers{{{OURS}}})"},
            runbook="QueueNoConsumers",
        ),
        Panel(
            "Worker processes",
            "That serve the queue and were heard of within 30 s.",
            {"{{queue}}": "max by (queue) (ytrag_workers)"},
            runbook="QueueNoConsumers",
        ),
        Panel(
            "Wait in the queue, by stage",
            "95 % of the messages wait less than this before a worker begins them.",
            {"{{stage}}": quantile(0.95, "ytrag_stage_queue_wait_seconds", "stage")},
            "s",
            runbook="QueueBacklogHigh",
        ),
        Panel(
            "Wait in the queue, by priority",
            "Likewise; higher priorities go first.",
            {"{{priority}}": quantile(0.95, "ytrag_stage_queue_wait_seconds", "priority")},
            "s",
        ),
        Panel(
            "Age of the oldest job",
            "By state: for how long it has waited or worked.",
            {"{{state}}": "max by (state) (ytrag_oldest_job_age_seconds)"},
            "s",
            runbook="StageStuck",
        ),
        Panel(
            "Sources that refuse us",
            "1 while downloads from the source wait until it answers well again.",
            {"{{source}}": "max by (source) (ytrag_source_circuit_open)"},
            runbook="SourceBlocked",
        ),
        Panel(
            "Due in the outbox",
            "Messages that wait for a dispatcher to hand them to RabbitMQ.",
            {"messages": "max(ytrag_outbox_pending)"},
            runbook="OutboxLagHigh",
        ),
        Panel(
            "Oldest message in the outbox",
            "For how long it has been due.",
            {"age": "max(ytrag_outbox_oldest_age_seconds)"},
            "s",
            runbook="OutboxLagHigh",
        ),
        Panel(
            "Since the dispatchers' last run",
            "By task, the best of all dispatchers.",
            {"{{task}}": "time() - max by (task) (ytrag_dispatcher_last_run_timestamp_seconds)"},
            "s",
            runbook="DispatcherStalled",
        ),
    ),
)
