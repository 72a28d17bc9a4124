"""What an operator does with one message or one job: have it done again, or not at all."""

from app import clock
from app.errors import Conflict, NotFound
from app.models.base import transactional
from app.models.jobs import Job
from app.models.messages import Message, Outbox
from app.services import events, jobs, outbox, retries, settling
from app.stages import CHUNK_ACTOR, NAMES

OF_JOBS = (*NAMES, CHUNK_ACTOR)


@transactional
def requeue(message_id: str) -> str:
    """Have a failed message's work done again, once however often it is asked; returns the new message's id.

    A stage's work is its job's, which goes on from the stage that failed. Conflict where it has not failed.
    """
    message = _failed(message_id)
    if message.actor in OF_JOBS:
        return str(retries.retry(message.subject, None).job.message_id)
    if not settling.settle(message_id, "requeued"):
        raise Conflict("The message was dealt with at this very moment; see what became of it.")
    return outbox.add(
        message.actor, message.subject, position=message.position, priority=message.priority, anew=True
    )


@transactional
def delete_message(message_id: str) -> None:
    """Have a message's work given up: a job at work is cancelled, one that failed is put with the deleted.

    A failed message that is no job's is taken off the list. Conflict for what the program needs for itself.
    """
    message = _known(message_id)
    if message.actor in OF_JOBS:
        delete_job(message.subject)
    elif not settling.settle(message_id, "deleted"):
        raise Conflict("The program needs this message's work for itself; only a failed one can be deleted.")


@transactional
def delete_job(job_id: str, owner: str | None = None) -> None:
    """Cancel a job at work, or put a failed one with the cancelled; Conflict for one that is completed."""
    if jobs.get(job_id, owner).state != "failed":
        jobs.cancel(job_id, owner)
        return
    failed = (Job.id == job_id) & (Job.state == "failed")
    if not Job.update(state="cancelled", acknowledged_at=clock.now()).where(failed).execute():
        raise Conflict("The job changed at this very moment; look again.")
    events.add(job_id, "deleted")
    settling.settle_all(job_id, "deleted")


def _failed(message_id: str) -> Message:
    message = _known(message_id)
    if isinstance(message, Outbox) or message.state != "dead":
        raise Conflict("The message has not failed, or was requeued before; see what became of it.")
    return message


def _known(message_id: str) -> Message | Outbox:
    """The message, or what will become it."""
    found: Message | Outbox | None = Message.get_or_none(id=message_id)
    found = found or Outbox.get_or_none(message_id=message_id)
    if found is None:
        raise NotFound(f"There is no message {message_id!r}.")
    return found
