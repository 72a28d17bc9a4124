"""All pages, as one blueprint."""

from app.web.pages import home, jobs, library, session
from app.web.pages.blueprint import blueprint as pages

__all__ = ["home", "jobs", "library", "pages", "session"]
