"""dramatiq-dashboard's own pages over our rows and RabbitMQ's counts, in place of Redis."""

import inspect
import re
from datetime import UTC, datetime
from typing import Any

import jinja2
from dramatiq import Message
from dramatiq.common import dq_name, q_name, xq_name
from dramatiq_dashboard import DashboardApp
from dramatiq_dashboard.http import HTTP_404, handler
from dramatiq_dashboard.interface import Job, Queue, Worker

from app.models.workers import WorkerHeartbeat
from app.services import message_pages, queues, workers
from app.services.message_pages import Listed
from app.web.dashboard import cursors
from app.web.dashboard.links import PREFIX
from app.web.dashboard.patience import depths, reading

PAGE = 50
STYLE = re.compile(r"<style>(.*)</style>", re.DOTALL)


class Interface:
    """What the stock pages ask for: queues, workers, and the jobs of q, q.DQ and q.XQ."""

    @property
    def queues(self) -> list[Queue]:
        """All queues with their depths."""
        return [_queue(depth) for depth in depths().queues]

    @property
    def workers(self) -> list[Worker]:
        """The processes that were heard of lately; their last sign of life as the stock pages want it."""
        present = reading(workers.present, instead=list[WorkerHeartbeat]())
        return [Worker(row.name, _naive(row.seen_at), row.busy) for row in present]

    def get_queue(self, queue_name: str) -> Queue | None:
        """The queue; None where there is none of that name."""
        return next((queue for queue in self.queues if queue.name == queue_name), None)

    def get_jobs(self, queue_name: str, cursor: int = 0) -> tuple[int | None, list[Job]]:
        """A page of messages, and where the next one begins."""
        after = cursors.read(cursor)
        name, tab = q_name(queue_name), tab_of(queue_name)
        page = reading(
            lambda: message_pages.page(name, tab, after, limit=PAGE), instead=message_pages.Page([], None)
        )
        return cursors.write(page.after) if page.after else None, [job(row) for row in page.messages]

    def get_job(self, _queue_name: str, message_id: str) -> Job | None:
        """The message, wherever it is by now."""
        found = message_pages.get(message_id)
        return job(found) if found else None


class _NoRedis:
    """Stands in for the broker while the stock application is made; nothing is ever asked of it."""

    class client:  # noqa: N801  # the name that it looks for
        """Takes scripts, for nobody."""

        register_script = staticmethod(lambda _script: None)


class Dashboard(DashboardApp):  # type: ignore[misc]  # it has no types
    """The stock application with our rows behind it and our frame around it; it only shows."""

    def __init__(self) -> None:
        super().__init__(_NoRedis, PREFIX)
        self.broker, self.iface = None, Interface()
        stock = self.templates.loader
        own = jinja2.PackageLoader("app.web.dashboard", "templates")
        self.templates.loader = jinja2.ChoiceLoader([own, stock, jinja2.PrefixLoader({"stock": stock})])
        base = stock.get_source(self.templates, "_base.html")[0]
        style = STYLE.search(base)
        self.style = inspect.cleandoc(style[1]) if style else ""

    @handler  # type: ignore[untyped-decorator]
    def delete_message(self, _request: Any) -> tuple[str, str]:
        """Not by its way: ours are in actions.py."""
        return HTTP_404, "Not Found"

    requeue_message = delete_message


def tab_of(queue_name: str) -> str:
    """Which list of a queue is meant by RabbitMQ's name of it."""
    names = {dq_name(queue_name): "delayed", xq_name(queue_name): "failed"}
    return names.get(queue_name, "standard")


def job(row: Listed) -> Job:
    """The message as the stock pages show it; what stands in its options comes as rows of a table."""
    told = {
        "state": row.state,
        "attempts": row.attempts,
        "priority": row.priority,
        "worker": row.worker,
        "error": row.error,
        "history": "\n".join(
            f"{step.at:%Y-%m-%d %H:%M:%S}  {step.state}  {step.worker or ''}".rstrip() for step in row.history
        ),
        "traceback": row.traceback,
    }
    options = {name: value for name, value in told.items() if value not in (None, "")}
    message: Message[Any] = Message(
        queue_name=row.queue,
        actor_name=row.actor,
        args=tuple(row.args),
        kwargs={},
        options=options,
        message_id=row.id,
        message_timestamp=int(row.created_at.timestamp() * 1000),
    )
    return Job(
        message_id=row.id,
        message=message,
        eta=_naive(row.due_at or row.created_at),
        timestamp=_naive(row.created_at),
        retries=max(0, row.attempts - 1),
    )


def _queue(depth: queues.Depth) -> Queue:
    return Queue(depth.name, depth.waiting, depth.delayed, depth.dead)


def _naive(moment: datetime) -> datetime:
    """In the server's time the stock pages count from datetime.utcnow()."""
    return moment.astimezone(UTC).replace(tzinfo=None)
