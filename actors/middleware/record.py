"""Records the life of messages that are no stage's: a stage writes its own within its transactions."""

import logging
from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Middleware

from actors.messages import ref
from app import config
from app.models.base import transactional
from app.services import messages
from app.stages import CHUNK_ACTOR, NAMES

log = logging.getLogger(__name__)


class RecordMessages(Middleware):
    """Keeps the rows that say what became of each message; work goes on where they cannot be written."""

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        """It runs."""
        _record(message, "running")

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """It is done, or it failed and will be published anew."""
        _record(message, "dead" if exception else "done", error=str(exception) if exception else None)


def _record(message: MessageProxy, state: str, error: str | None = None) -> None:
    if message.actor_name in NAMES or message.actor_name == CHUNK_ACTOR:
        return
    try:
        transactional(messages.record)(ref(message), state, worker=config.current().name(), error=error)
    except Exception:
        log.exception("message not recorded", extra={"message_id": message.message_id, "state": state})
