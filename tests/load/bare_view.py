"""The least that a user would write to take a request in: a Flask view that commits one row, on a pool."""

import os
from urllib.parse import urlsplit

import peewee as pw
from flask import Flask, request
from playhouse.pool import PooledMySQLDatabase

parts = urlsplit(os.environ["BENCH_DATABASE_URL"])
database = PooledMySQLDatabase(
    parts.path.strip("/"),
    host=parts.hostname,
    port=parts.port,
    user=parts.username,
    password=parts.password,
    max_connections=20,
)


class Request(pw.Model):
    """What was asked for."""

    url = pw.TextField()

    class Meta:
        database = database


database.create_tables([Request])
database.close()
app = Flask(__name__)


@app.post("/")
def take() -> tuple[dict[str, int], int]:
    """Store the URL."""
    with database.connection_context():
        row = Request.create(url=request.get_json()["url"])
    return {"id": int(row.get_id())}, 202  # type: ignore[no-untyped-call]
