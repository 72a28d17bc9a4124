"""Every alert fires when it should, not just before, and resolves; a wrong threshold is noticed."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from deploy.tools import rules
from deploy.tools.rules import ROOT, RULES, Rule
from tests import tools
from tests.alert_cases import CASES, DAY, HEALTHY, as_promtool, series

NAMES = sorted({rule["alert"] for rule in rules.every()})
THRESHOLD = re.compile(r"(==|[<>]=?) ([\d.]+)")


def complaints(folder: Path, kept: list[Rule], tests: list[object]) -> str:
    """What promtool says of the tests with these rules; nothing where all is well."""
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": kept}]}))
    (folder / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    done = tools.run("promtool", "test", "rules", folder / "tests.yml")
    return done.stdout + done.stderr if done.returncode else ""


def cases_of(found: Rule) -> list[object]:
    return [
        as_promtool(case, found)
        for case in CASES
        if (case.alert, case.severity) == (found["alert"], found["labels"]["severity"])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_fires_when_it_should_and_not_just_before_and_resolves(name: str, tmp_path: Path) -> None:
    kept = [rule for rule in rules.every() if rule["alert"] == name]
    tests = [test for rule in kept for test in cases_of(rule)]

    assert len(tests) >= len(kept)
    assert complaints(tmp_path, kept, tests) == ""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Watchdog", "MetricsAbsent")])
def test_a_wrong_threshold_or_wait_makes_the_cases_of_the_alert_fail(name: str, tmp_path: Path) -> None:
    for rule in rules.every():
        if rule["alert"] == name:
            for wrong in mutants(rule):
                assert complaints(tmp_path, [wrong], cases_of(rule)), wrong["expr"]


def mutants(rule: Rule) -> Iterator[Rule]:
    """The rule with its first threshold above and below what it should be, and waiting longer and shorter."""
    threshold = THRESHOLD.search(rule["expr"])
    assert threshold
    number = float(threshold[2])
    for factor in (1.2, 0.8) if number else ():
        yield changed(rule, expr=rule["expr"].replace(threshold[0], f"{threshold[1]} {number * factor}"))
    if not number:
        yield changed(rule, expr=rule["expr"].replace(threshold[0], f"{threshold[1]} 1000"))
    if "for" in rule:
        minutes = int(rule["for"].removesuffix("m"))
        yield changed(rule, **{"for": f"{10 * minutes}m"})


def changed(rule: Rule, **changes: str) -> Rule:
    return deepcopy(rule) | changes


def test_a_day_of_good_traffic_with_ten_failures_alarms_nobody(tmp_path: Path) -> None:
    told = 'ALERTS{alertname!="Watchdog"}'
    hourly = [{"expr": told, "eval_time": f"{minute}m", "exp_samples": []} for minute in range(10, DAY, 60)]
    day = {"interval": "1m", "input_series": series(HEALTHY), "promql_expr_test": hourly}

    assert complaints(tmp_path, rules.every(), [day]) == ""


def test_every_alert_says_what_to_do_how_it_clears_and_where_it_is_explained() -> None:
    for rule in rules.every():
        about = rule["annotations"]
        assert about["summary"]
        assert "Clears" in about["description"] or rule["alert"] == "Watchdog"
        page = ROOT / about["runbook_url"]
        assert page == ROOT / f"docs/runbooks/{rule['alert']}.md"
        text = page.read_text()
        assert text.startswith(f"# {rule['alert']}\n")
        assert all(part in text for part in ("## How to look", "## What to do", "It clears"))


def test_every_runbook_is_of_an_alert() -> None:
    assert sorted(page.stem for page in (ROOT / "docs/runbooks").glob("*.md")) == NAMES


def test_the_old_monitors_thresholds_stand() -> None:
    found = {rule["alert"]: rule["expr"] for rule in rules.rules("alerts")}

    assert found["EnqueuedJobsHigh"].endswith("> 100")
    assert found["FailedJobsHigh"].endswith("> 10")


def test_the_rules_and_prometheus_configuration_are_valid() -> None:
    for file in RULES.glob("*.yml"):
        done = tools.run("promtool", "check", "rules", file)
        assert done.returncode == 0, done.stderr
    done = tools.run("promtool", "check", "config", "--syntax-only", RULES.parent / "prometheus.yml")
    assert done.returncode == 0, done.stderr


def test_alertmanagers_configuration_is_valid_and_each_severity_has_its_way() -> None:
    file = ROOT / "deploy/alertmanager/alertmanager.yml"

    assert tools.run("amtool", "check-config", file).returncode == 0
    for labels, receiver in (
        (["severity=critical", "alertname=DiskLow"], "webhook"),
        (["severity=warning", "alertname=StageStuck"], "webhook"),
        (["severity=none", "alertname=Watchdog"], "nobody"),
    ):
        done = tools.run("amtool", "config", "routes", "test", f"--config.file={file}", *labels)
        assert done.stdout.strip() == receiver
    named = set(re.findall(r"alertname =~? \"([\w|]+)\"", file.read_text()))
    assert {name for names in named for name in names.split("|")} <= set(NAMES)
