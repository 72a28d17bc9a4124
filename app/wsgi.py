"""The application as a WSGI server wants it."""

from app import config, logs
from app.web.application import create_app

logs.set_up(config.current().log_format)
app = create_app(config.current())
