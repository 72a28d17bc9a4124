"""Addresses that answers point to."""

from app import config


def job_links(job_id: str) -> dict[str, str]:
    """Where to go on with a job."""
    job = f"{config.current().address()}/api/jobs/{job_id}"
    return {"status": f"{job}/status", "events": f"{job}/events", "cancel": job, "retry": f"{job}/retry"}


def video_links(video_id: str) -> dict[str, str]:
    """Where to go on with a video."""
    video = f"{config.current().address()}/api/videos/{video_id}"
    return {"self": video, "transcript": f"{video}/transcript"}


def batch_links(batch_id: str) -> dict[str, str]:
    """Where to go on with a batch."""
    api = f"{config.current().address()}/api"
    return {"self": f"{api}/batches/{batch_id}", "jobs": f"{api}/jobs?batch_id={batch_id}"}


def schedule_links(schedule_id: str) -> dict[str, str]:
    """Where to go on with a schedule."""
    schedule = f"{config.current().address()}/api/schedules/{schedule_id}"
    return {"self": schedule, "run": f"{schedule}/run"}


def webhook_links(webhook_id: str) -> dict[str, str]:
    """Where to go on with a webhook."""
    webhook = f"{config.current().address()}/api/webhooks/{webhook_id}"
    return {"self": webhook, "test": f"{webhook}/test", "deliveries": f"{webhook}/deliveries"}


def delivery_links(webhook_id: str, delivery_id: str | None = None) -> dict[str, str]:
    """Where to go on with a delivery of a webhook."""
    deliveries = webhook_links(webhook_id)["deliveries"]
    again = {"send": f"{deliveries}/{delivery_id}/send"} if delivery_id else {}
    return {"deliveries": deliveries, **again}
