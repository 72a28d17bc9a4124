"""Processes, disks and RabbitMQ underneath."""

from deploy.tools.panels import Board, Panel

PLATFORM = Board(
    "ytrag-platform",
    "Platform",
    "Processes, disks and RabbitMQ underneath.",
    (
        Panel(
            "Targets that answer",
            "By job; 0 is down.",
            {"{{job}}": "min by (job) (up)"},
            runbook="TargetDown",
        ),
        Panel(
            "Versions that run",
            "Processes by the version of youtube-rag.",
            {"{{version}}": "count by (version) (ytrag_build_info)"},
        ),
        Panel(
            "Free disk",
            "Share of each volume.",
            {"{{volume}}": "min by (volume) (ytrag_storage_free_bytes / ytrag_storage_size_bytes)"},
            "percentunit",
            runbook="DiskLow",
        ),
        Panel(
            "Free disk, bytes",
            "Of each volume.",
            {"{{volume}}": "min by (volume) (ytrag_storage_free_bytes)"},
            "bytes",
        ),
        Panel(
            "RabbitMQ's alarms",
            "1 while it holds up all who publish.",
            {
                "memory": "max(rabbitmq_alarms_memory_used_watermark)",
                "disk": "max(rabbitmq_alarms_free_disk_space_watermark)",
            },
            runbook="RabbitMQAlarm",
        ),
        Panel(
            "RabbitMQ's memory",
            "What it uses, and where it begins to hold up.",
            {
                "used": "sum(rabbitmq_process_resident_memory_bytes)",
                "limit": "sum(rabbitmq_resident_memory_limit_bytes)",
            },
            "bytes",
            runbook="RabbitMQAlarm",
        ),
        Panel(
            "RabbitMQ's free disk",
            "What is free, and where it begins to hold up.",
            {
                "free": "min(rabbitmq_disk_space_available_bytes)",
                "limit": "max(rabbitmq_disk_space_available_limit_bytes)",
            },
            "bytes",
            runbook="RabbitMQAlarm",
        ),
        Panel(
            "Connections to RabbitMQ",
            "Of workers and dispatchers.",
            {"connections": "sum(rabbitmq_connections)"},
        ),
        Panel(
            "Memory of dispatchers, exporter and Prometheus",
            "Resident bytes.",
            {"{{job}}": 'sum by (job) (process_resident_memory_bytes{job!="rabbitmq"})'},
            "bytes",
        ),
        Panel("Time to scrape", "By job.", {"{{job}}": "max by (job) (scrape_duration_seconds)"}, "s"),
    ),
)
