"""Makes Grafana's rules from alerts.yml: python -m deploy.tools.grafana_rules; a test fails on drift."""

from typing import Any

import yaml

from deploy.tools.rules import ROOT, Groups, Rule, groups

FILE = ROOT / "grafana/provisioning/alerting/rules.yaml"
HEAD = "# Made by deploy/tools/grafana_rules.py from deploy/prometheus/rules/alerts.yml: change it there.\n"
FOLDERS = {"critical": "youtube-rag critical", "warning": "youtube-rag warning"}
"""In one folder no two rules may have the same title; an alert of two severities needs two."""

FIRES = "is_number($query) || is_nan($query) || is_inf($query)"
"""Prometheus fires for whatever the expression finds; so that is turned into 1."""


def main() -> None:
    """Write the file."""
    FILE.write_text(provisioning(groups("alerts")), encoding="utf-8")


def provisioning(found: Groups) -> str:
    """What Grafana reads at its start."""
    made = [
        {
            "orgId": 1,
            "name": group["name"],
            "folder": folder,
            "interval": "1m",
            "rules": [_rule(rule) for rule in rules],
        }
        for severity, folder in FOLDERS.items()
        for group in found
        if (rules := [rule for rule in group["rules"] if rule["labels"]["severity"] == severity])
    ]
    whole = {"apiVersion": 1, "groups": made}
    text: str = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110)
    return HEAD + text


def _rule(rule: Rule) -> dict[str, Any]:
    about = {name: _words(text) for name, text in rule["annotations"].items()}
    return {
        "uid": f"ytrag-{rule['alert'].lower()}-{rule['labels']['severity']}"[:40],
        "title": rule["alert"],
        "condition": "threshold",
        "data": _steps(rule["expr"]),
        "noDataState": "OK",  # an expression that finds nothing is what all alerts look like that do not fire
        "execErrState": "Error",
        "missing_series_evals_to_resolve": 1,
        "for": rule.get("for", "0s"),
        "labels": dict(rule["labels"]),
        "annotations": about,
    }


def _steps(expr: str) -> list[dict[str, Any]]:
    """Ask Prometheus, make 1 of what it finds, and fire above 0."""
    above = {"evaluator": {"type": "gt", "params": [0]}}
    return [
        {
            "refId": "query",
            "datasourceUid": "prometheus",
            "relativeTimeRange": {"from": 600, "to": 0},
            "model": {"refId": "query", "expr": _escaped(expr), "instant": True, "range": False},
        },
        {
            "refId": "prometheus_math",
            "datasourceUid": "__expr__",
            "queryType": "math",
            "model": {"refId": "prometheus_math", "type": "math", "expression": _escaped(FIRES)},
        },
        {
            "refId": "threshold",
            "datasourceUid": "__expr__",
            "queryType": "threshold",
            "model": {
                "refId": "threshold",
                "type": "threshold",
                "expression": "prometheus_math",
                "conditions": [above],
            },
        },
    ]


def _words(text: str) -> str:
    """An annotation in Grafana's terms."""
    return _escaped(text.replace("$value", "$values.query.Value"))


def _escaped(text: str) -> str:
    """In provisioning files $NAME is a variable of the environment, and $$ a dollar."""
    return text.replace("$", "$$")


if __name__ == "__main__":
    main()
