"""Addresses of the dashboard's pages."""

from urllib.parse import urlencode

PREFIX = "/dramatiq"


def link(*path: str, **params: object) -> str:
    """The address of a page."""
    asked = {name: value for name, value in params.items() if value is not None}
    return f"{PREFIX}/{'/'.join(path)}" + (f"?{urlencode(asked)}" if asked else "")
