"""Whether RabbitMQ takes a connection."""

import pika

TIMEOUT_S = 2.0


def connect_once(url: str) -> None:
    """Open a connection with the URL's account and close it; raises what pika raises where that fails."""
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = TIMEOUT_S
    parameters.connection_attempts = 1
    pika.BlockingConnection(parameters).close()
