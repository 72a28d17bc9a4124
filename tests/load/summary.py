"""All figures that have a target, in one table: read from the page into which the benchmarks write them."""

import re

from tests.load.tables import table

SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(
    r"(?:^|(?<=[.:] ))([^*|\n]*?)[ :]*\*\*([^*]+)\*\*[^;|\n]*; target ([^:\n]+): (met|missed)", re.MULTILINE
)
"""What was measured, how much it was, the target, whether it is met."""


def of(page: str) -> list[str]:
    """The table; each row leads to its section."""
    rows = [
        (f"[{what}](#{anchor(title)})", *figures)
        for title, text in SECTION.findall(page)
        for what, *figures in FIGURE.findall(text)
    ]
    return table(("what", "measured", "target", ""), rows)


def anchor(title: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
