"""Builds messages and reads them: every message is made here, so that each carries its priority."""

from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy

from app.services.messages import MessageRef


def build(actor: str, *args: Any, priority: int, message_id: str | None = None) -> dramatiq.Message[Any]:
    """A message for the actor; priority 0 to 3, higher goes first."""
    message = (
        dramatiq.get_broker()
        .get_actor(actor)
        .message_with_options(args=args, broker_priority=priority, pipe_ignore=True)
    )
    return message.copy(message_id=message_id) if message_id else message


def ref(message: dramatiq.Message[Any] | MessageProxy) -> MessageRef:
    """The message as rows know it, with the one that follows in its chain."""
    follower = message.options.get("pipe_target")
    return MessageRef(
        id=message.message_id,
        actor=message.actor_name,
        subject=message.args[0],
        priority=message.options["broker_priority"],
        position=message.args[1] if len(message.args) > 1 else None,
        follower=ref(dramatiq.Message(**follower)) if follower else None,
    )
