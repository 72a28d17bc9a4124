"""MySQL 8 and MariaDB from 10.6: connection, what its columns are called, and which of its errors pass."""

import functools
import ssl
import threading
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import peewee as pw
import pymysql.constants.CLIENT
from playhouse.pool import PooledMySQLDatabase
from pymysql.connections import Connection
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS

from app.errors import InvalidSetting

PASSING = {1205, 1213}
"""Lock wait time-out and deadlock: the same transaction again may succeed."""

LOST = {0, 2006, 2013, 2055, 1053, 1927, 2003, 4031}
"""The connection is gone, or the server is; another one may do."""

COUNT_MATCHES = pymysql.constants.CLIENT.FOUND_ROWS
"""A conditional update counts the rows it matched, not those whose values it changed."""

SEVERAL_AT_ONCE = pymysql.constants.CLIENT.MULTI_STATEMENTS
"""Statements parted by ; in one message, so that a transaction waits for the way to the server less often."""

BEGIN = ("BEGIN", None)
ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

SILENT_S = 10
"""After so long a silence the server drops a connection, and so the locks of a process that stands still.

MariaDB counts only within a transaction; MySQL knows no such limit, and counts always.
"""

SILENCE = f"SET SESSION /*M! idle_transaction_timeout = {SILENT_S} */ /*!80000 wait_timeout = {SILENT_S} */"
"""Each server reads the one that is in its own kind of comment."""

STRICT = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"
WAIT_S = 30


@functools.cache
def _tls_where_offered() -> ssl.SSLContext:
    """What pymysql would make anew for each connection: reading the system's certificates takes it 33 ms."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return tls


class _Connection(Connection):  # type: ignore[misc]  # pymysql has no types
    """A connection that is encrypted where the server can."""

    def _create_ssl_ctx(self, options: dict[str, Any]) -> ssl.SSLContext:
        return super()._create_ssl_ctx(options) if options else _tls_where_offered()


class MySql(PooledMySQLDatabase):  # type: ignore[misc]  # playhouse has no types
    """A pool of connections that survives a restart of the server between two transactions."""

    field_types: ClassVar[dict[str, str]] = {
        **pw.MySQLDatabase.field_types,
        "TEXT": "LONGTEXT",
        "BLOB": "LONGBLOB",
        "FLOAT": "DOUBLE",
        "DATETIME": "DATETIME(6)",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._thread = threading.local()  # unsent: statements, each with the error if it meets no row
        self._is_mariadb: bool | None = None

    def _connect(self) -> _Connection:
        return _Connection(database=self.database, autocommit=True, **self.connect_params)

    @property
    def _unsent(self) -> list[tuple[str, Exception | None]]:
        """What goes to the server with this thread's next statement, since nobody waits for its answer."""
        waiting: list[tuple[str, Exception | None]] = self._thread.__dict__.setdefault("unsent", [])
        return waiting

    def _is_closed(self, conn: Any) -> bool:
        """Whether our end is; that the server's is shows at the next statement, which takes a new one."""
        return not conn.open

    def _can_reuse(self, conn: Any) -> bool:
        """Whether another thread may have it; what a thread left undone is undone."""
        return not conn.server_status & SERVER_STATUS_IN_TRANS or bool(super()._can_reuse(conn))

    def later(self, sql: str, params: Any, unless_met: Exception | None = None) -> None:
        """Run a statement with the transaction's next one, or before its commit.

        unless_met: what the next one raises where this one met no row; without it, nobody cares.
        """
        self._unsent.append((self.cursor().mogrify(sql, params), unless_met))

    def begin(self, isolation_level: str | None = None) -> None:
        """Begin a transaction, with its first statement."""
        if self.is_closed():
            self.connect()  # which forgets that a transaction is open
        self._unsent[:] = [BEGIN]

    def commit(self) -> None:
        """Store all of it; a transaction without a statement never was."""
        if any(unless_met for _, unless_met in self._unsent):
            self._send("DO 0")
        if self._unsent != [BEGIN]:
            self._send("COMMIT")
        self._unsent.clear()

    def rollback(self) -> None:
        """Undo what the server knows of."""
        begun = BEGIN not in self._unsent
        self._unsent.clear()
        if begun:
            super().rollback()

    def _send(self, sql: str, params: Any = ()) -> Any:
        """Run what waits and this in one message to the server; gives the cursor of the last."""
        with pw.__exception_wrapper__:  # type: ignore[attr-defined]  # what peewee's own methods use
            cursor = self.cursor()
            waiting, self._thread.unsent = self._unsent, []
            cursor.execute(";".join([*(text for text, _ in waiting), cursor.mogrify(sql, params)]))
            disappointed = []
            for _, unless_met in waiting:
                if unless_met and not cursor.rowcount:
                    disappointed.append(unless_met)
                cursor.nextset()
        if disappointed:
            raise disappointed[0]
        return cursor

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; outside a transaction once more where its connection turns out to be dead."""
        if self._unsent:
            return self._send(sql, params or ())
        try:
            return super().execute_sql(sql, params)
        except (pw.OperationalError, pw.InterfaceError) as error:
            if self.in_transaction() or code_of(error) not in LOST:
                raise
            forget_connection(self)
            return super().execute_sql(sql, params)

    def limit_statements(self, seconds: float) -> None:
        """Let no statement of this thread's connection take longer from now on; 0: as long as it takes."""
        if self._is_mariadb is None:
            self._is_mariadb = "maria" in str(self.execute_sql("SELECT VERSION()").fetchone()[0]).lower()
        limit = f"max_statement_time = {seconds:g}"
        if not self._is_mariadb:  # MySQL counts milliseconds, and of queries alone
            limit = f"max_execution_time = {round(seconds * 1000)}"
        self.execute_sql(f"SET SESSION {limit}")


def open_mysql(url: str, *, connections: int) -> MySql:
    """A pool for mysql://user:password@host:port/database; InvalidSetting where the URL is another."""
    parts = urlsplit(url)
    name = parts.path.strip("/")
    if not (parts.hostname and name and parts.username):
        raise InvalidSetting("YTRAG_DATABASE_URL may be mysql://user:password@host:3306/database.")
    return MySql(
        name,
        max_connections=connections,
        stale_timeout=SILENT_S / 2,  # from its opening on, so none that waits here is silent for long
        timeout=WAIT_S,
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        charset="utf8mb4",
        client_flag=COUNT_MATCHES | SEVERAL_AT_ONCE,
        connect_timeout=10,
        read_timeout=WAIT_S,
        write_timeout=WAIT_S,
        init_command=f"{ISOLATION}; {SILENCE}",
        sql_mode=STRICT,
    )


def code_of(error: Exception) -> int | None:
    """The server's or the client's number of the error."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def may_pass(error: Exception) -> bool:
    """Whether the whole transaction may succeed when it is run again."""
    return code_of(error) in PASSING | LOST


def forget_connection(database: pw.Database) -> None:
    """Throw this thread's connection away, and those that nobody uses: the next statement gets a new one."""
    if isinstance(database, PooledMySQLDatabase):
        database.manual_close()
        database.close_idle()
    else:
        database.close()
