"""The application as a WSGI server wants it."""

import sys

from app import config, logs
from app.errors import YtragError
from app.web.application import create_app

WILL_NOT_LOAD = 4
"""gunicorn's exit code for an application that it need not try to load again."""

try:
    logs.set_up(config.current().log_format)
    app = create_app(config.current())
except YtragError as error:
    sys.stderr.write(f"ytrag serve: {error}\n")
    sys.exit(WILL_NOT_LOAD)
