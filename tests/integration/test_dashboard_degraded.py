"""The dashboard while something is slow or away: it says what, shows the rest, and keeps nobody waiting."""

import time
from contextlib import closing
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pika
import pymysql
import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.models.base import database
from app.services import keys, outbox
from app.web.application import create_app
from app.web.dashboard.patience import PATIENCE_S
from tests.integration.test_dashboard import read, submit
from tests.services import Server, management_url
from tests.up import free_port

ON_A_SERVER = pytest.mark.parametrize("settings", ["mysql"], indirect=True)
SLOW = "The database is slow or away"


@pytest.fixture
def broker(house: Config, fresh_broker: str) -> Config:
    """A house over RabbitMQ, whose queue of downloads holds three messages that no row knows."""
    connection = pika.BlockingConnection(pika.URLParameters(fresh_broker))
    channel = connection.channel()
    channel.queue_declare("download", durable=True)
    channel.confirm_delivery()
    for _ in range(3):
        channel.basic_publish("", "download", b"x")
    connection.close()
    management = management_url() or ""
    return config.use(replace(house, broker_url=fresh_broker, broker_management_url=management))


def counts(page: str, queue: str) -> list[str]:
    """The numbers beside the queue's name."""
    row = page.partition(f'/dramatiq/queues/{queue}"')[2].partition("</tr>")[0]
    return [cell.split(">")[1].strip() for cell in row.split("</td>") if "table__number" in cell]


def test_what_waits_is_counted_by_rabbitmq(api: FlaskClient, broker: Config) -> None:
    give_up = time.monotonic() + 15  # its statistics are up to five seconds old
    while counts(page := read(api, "/dramatiq/").text, "download") != ["3", "0", "0"]:
        assert time.monotonic() < give_up, page
        time.sleep(0.5)

    assert "does not answer" not in page


def test_without_the_management_api_the_rows_are_counted_and_the_page_says_so(
    api: FlaskClient, broker: Config
) -> None:
    config.use(replace(broker, broker_management_url=f"http://u:p@127.0.0.1:{free_port()}"))
    submit()
    outbox.claim_due()

    page = read(api, "/dramatiq/").text

    assert "management API does not answer. What waits is counted from the database" in page
    assert counts(page, "download") == ["1", "0", "0"]


def test_without_the_broker_the_page_says_that_nothing_is_lost(api: FlaskClient, house: Config) -> None:
    config.use(replace(house, broker_url=f"amqp://u:p@127.0.0.1:{free_port()}/x"))
    job_id = submit()

    page = read(api, "/dramatiq/").text
    assert job_id in read(api, "/dramatiq/queues/download").text

    assert "RabbitMQ does not answer: jobs wait in the database" in page
    assert counts(page, "download") == ["1", "0", "0"]


@ON_A_SERVER
def test_a_slow_database_costs_its_part_of_the_page_and_not_the_page(
    api: FlaskClient, broker: Config
) -> None:
    read(api, "/dramatiq/")
    parts = urlsplit(broker.database_url)
    account = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    where = {"host": parts.hostname, "port": parts.port or 3306, "database": parts.path[1:]}
    with closing(pymysql.connect(**account, **where)) as other:
        other.cursor().execute("LOCK TABLES job WRITE, message WRITE")
        for path in ("", "jobs/failed", "queues/download"):
            began = time.monotonic()
            answer = read(api, f"/dramatiq/{path}")
            assert time.monotonic() - began < PATIENCE_S + 3
            assert answer.status_code == 200
            assert SLOW in answer.text
        assert counts(read(api, "/dramatiq/").text, "download")[2] == "?"

    page = read(api, "/dramatiq/jobs/failed").text
    assert SLOW not in page
    limit = database.execute_sql("SELECT @@SESSION.max_statement_time").fetchone()[0]
    assert float(limit) == 0.0


@ON_A_SERVER
def test_without_the_database_the_queues_are_shown_to_whom_no_key_is_asked(
    api: FlaskClient, broker: Config, mariadb: Server
) -> None:
    mariadb.stop()

    queues, jobs = read(api, "/dramatiq/"), read(api, "/dramatiq/job/x")

    assert (queues.status_code, jobs.status_code) == (200, 503)
    assert SLOW in queues.text
    assert counts(queues.text, "download")[1:] == ["?", "?"]
    assert "The database does not answer" in jobs.text


@ON_A_SERVER
def test_without_the_database_nobody_comes_in_where_keys_are_asked_for(
    house: Config, mariadb: Server
) -> None:
    closed = config.use(replace(house, env="production"))
    key = keys.create("ada", "admin")
    door = create_app(closed).test_client()
    mariadb.stop()

    answer = read(door, "/dramatiq/", Authorization=f"Bearer {key}")

    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert "download" not in answer.text
