"""What recurs, which processes there are, and what was done here."""

from flask import redirect, request
from werkzeug.wrappers import Response

from app import clock
from app.errors import InvalidInput
from app.services import audit, runs, schedules, workers
from app.web.auth import caller
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.frame import render
from app.web.dashboard.links import link
from app.web.jobs import check_cursor

PAGE = 50


@blueprint.get("/recurring")
def list_recurring() -> str:
    """All schedules, the program's own too."""
    cursor = request.args.get("cursor") or None
    check_cursor(cursor)
    found = schedules.page(None, before=cursor, limit=PAGE + 1)
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return render("recurring.html", schedules=found[:PAGE], older=older, cursor=cursor)


@blueprint.post("/recurring/<schedule_id>/<action>")
def change_recurring(schedule_id: str, action: str) -> Response:
    """Run it now, or let it fire or not."""
    doings = {
        "run": lambda: schedules.run_now(schedule_id, None),
        "enable": lambda: schedules.set_enabled(schedule_id, None, enabled=True),
        "disable": lambda: schedules.set_enabled(schedule_id, None, enabled=False),
    }
    if action not in doings:
        raise InvalidInput(f"A schedule cannot be told to {action!r}; it may be {', '.join(doings)}.")
    name = schedules.get(schedule_id, None).name
    audit.doing(caller(), action, f"schedule {name} ({schedule_id})", doings[action])
    return redirect(link("recurring"), 303)


@blueprint.get("/servers")
def list_servers() -> str:
    """Worker processes by server, with those that fell silent, and when dispatchers last worked."""
    known = workers.known()
    now = clock.now()
    silent = {row.name for row in known if row.seen_at < now - workers.STALE_AFTER}
    tasks = {task: (at, (now - at).total_seconds() > LATE_S) for task, at in runs.last().items()}
    return render("servers.html", workers=known, silent=silent, tasks=tasks)


LATE_S = 60.0
"""A dispatcher notes each task every ten seconds."""


@blueprint.get("/audit")
def list_audit() -> str:
    """What was done on the dashboard, newest first."""
    cursor = request.args.get("cursor") or None
    if cursor is not None and not (cursor.isdecimal() and len(cursor) < 16):
        raise InvalidInput("cursor is none of this list; begin with its first page.")
    found = audit.page(before=int(cursor) if cursor else None, limit=PAGE + 1)
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return render("audit.html", entries=found[:PAGE], older=older, cursor=cursor)
