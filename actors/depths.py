"""How many messages wait in the broker."""

from dramatiq.brokers.rabbitmq import RabbitmqBroker

from actors.broker import broker


def waiting(queue: str) -> int:
    """Messages that the queue holds and no worker has; raises what the broker raises while it is away."""
    if isinstance(broker, RabbitmqBroker):
        return int(broker.get_queue_message_counts(queue)[0])
    return int(broker.queues[queue].qsize())
