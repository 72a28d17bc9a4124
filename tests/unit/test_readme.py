"""The README says what the program does."""

import re
from dataclasses import fields
from pathlib import Path

from app.config import Config

README = (Path(__file__).parents[2] / "README.md").read_text()


def settings_table() -> str:
    """The table of settings, made from the settings themselves."""
    lines = ["| setting | default | what |", "|---|---|---|"]
    for setting in fields(Config):
        about = setting.metadata["about"]
        if setting.name == "stage_time_limits_s":
            lines.append(f"| `{about.partition(':')[0]}` | by stage |{about.partition(':')[2]} |")
        else:
            lines.append(f"| `{setting.name.upper()}` | {shown(setting.default)} | {about} |")
    return "\n".join(lines)


def shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{int(default)}`"
    if isinstance(default, tuple) and default:
        return f"`{','.join(f'{part:g}' if isinstance(part, float) else part for part in default)}`"
    text = f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{text}`" if default or default == 0 else "–"


def test_the_readme_has_every_setting_with_its_default() -> None:
    assert settings_table() in README, f"the table should read:\n{settings_table()}"


def test_every_path_that_the_readme_links_to_exists() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", README)

    assert linked
    assert [path for path in linked if not (Path(__file__).parents[2] / path).exists()] == []
