"""All pages of the dashboard."""

from app.web.dashboard import house, jobs, views  # noqa: F401  # these add pages
from app.web.dashboard.blueprint import blueprint as blueprint
