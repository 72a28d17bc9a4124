"""Chains of stages, up to the next fan-out."""

import dramatiq

from actors.broker import broker
from actors.messages import build
from app.stages import FAN_OUT, NAMES


def chain_from(stage: str, job_id: str, *, priority: int, message_id: str) -> dramatiq.pipeline:
    """The stages from this one on, as messages that follow one another; the id is the first one's."""
    first, fan_out = NAMES.index(stage), NAMES.index(FAN_OUT)
    names = NAMES[first : fan_out + 1] if first <= fan_out else NAMES[first:]
    followers = [build(name, job_id, priority=priority) for name in names[1:]]
    start = build(stage, job_id, priority=priority, message_id=message_id)
    return dramatiq.pipeline([start, *followers], broker=broker)
