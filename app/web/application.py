"""Builds the HTTP application."""

from importlib.metadata import version

from flask import Response
from flask_openapi import Info, OpenAPI

from app.config import Config
from app.models import schema
from app.models.base import release
from app.schemas import ProblemAnswer
from app.services.search import MODES
from app.web import (
    auth,
    batches,
    errors,
    events,
    health,
    jobs,
    keys,
    metering,
    schedules,
    search,
    sources,
    videos,
    webhooks,
)
from app.web.dashboard.dashboard import blueprint as dashboard
from app.web.forwarded import Forwarded
from app.web.openapi import Api
from app.web.pages.pages import pages
from app.web.places import Places
from monitoring import metrics

FORM_BYTES = 1024 * 1024
"""What a form may have beside its file."""


def create_app(config: Config) -> OpenAPI:
    """The application for these settings, with its database bound and up to date."""
    schema.open_database(config)
    auth.require_keys(config)
    app = Api(
        "youtube-rag",
        info=Info(title="youtube-rag", version="0.1.0"),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
        validation_error_callback=errors.answer_invalid,
        validation_error_model=ProblemAnswer,
        doc_prefix="/api",
        doc_url="/openapi.json",
    )
    app.config["MAX_CONTENT_LENGTH"] = config.max_download_bytes + FORM_BYTES
    app.config["SWAGGER_CONFIG"] = {"tryItOutEnabled": True}
    app.add_url_rule("/api/docs", "docs", app.view_functions["swagger.swagger"])
    for resource in (health, videos, batches, jobs, search, schedules, sources, keys, events, webhooks):
        app.register_api(resource.blueprint)
    app.register_blueprint(pages)
    app.register_blueprint(dashboard)
    metering.register(app)  # first, so that it measures those too that nobody lets in
    auth.register(app, config)
    errors.register(app)
    app.after_request(_harden)
    app.wsgi_app = Forwarded(Places(app.wsgi_app), config.trusted_proxies)  # type: ignore[method-assign]  # as Flask documents it
    metrics.begin_api(version("youtube-rag"), modes=MODES)
    app.teardown_appcontext(lambda _error: release())
    release()  # what the start needed; the thread that started may never serve
    return app


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Frame-Options", "DENY")
    return response
