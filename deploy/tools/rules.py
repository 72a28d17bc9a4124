"""The alert rules as they stand in deploy/prometheus/rules, the one source of everything that alerts."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules"

Rule = dict[str, Any]
Groups = list[dict[str, Any]]


def groups(name: str) -> Groups:
    """The groups of alerts.yml or meta.yml."""
    return list(yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))["groups"])


def rules(name: str) -> list[Rule]:
    """All rules of the file."""
    return [rule for group in groups(name) for rule in group["rules"]]


def every() -> list[Rule]:
    """All rules there are."""
    return rules("alerts") + rules("meta")


def shortened(name: str, *, factor: int) -> dict[str, Any]:
    """The file with what an alert waits for made shorter by the factor; what it looks at stays."""
    found = groups(name)
    for group in found:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = f"{max(1, 60 * int(rule['for'].removesuffix('m')) // factor)}s"
    return {"groups": found}
