"""Notes that failed messages have been dealt with, so that they are not listed as failed any more."""

from app import clock
from app.models.messages import Message, MessageEvent


def settle(message_id: str, how: str) -> bool:
    """Whether the message had failed, and nobody dealt with it before; call it inside a transaction.

    Its error and traceback stay. how is a word for its history: requeued, deleted.
    """
    failed = (Message.id == message_id) & (Message.state == "dead")
    if not Message.update(state="done").where(failed).execute():
        return False
    MessageEvent.insert(message=message_id, state=how, at=clock.now()).execute()
    return True


def settle_all(subject: str, how: str) -> None:
    """The same for all messages of a job."""
    for row in list(
        Message.select(Message.id).where((Message.subject == subject) & (Message.state == "dead"))
    ):
        settle(row.id, how)
