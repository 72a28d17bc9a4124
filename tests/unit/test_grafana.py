"""What Grafana is given is what the sources say, and complete: titles, units, links and one data source."""

import json
import re
from typing import Any

import pytest
import yaml

from deploy.tools import dashboards, grafana_rules, rules
from deploy.tools.rules import ROOT

PROVISIONING = ROOT / "grafana/provisioning"
BOARDS: dict[str, dict[str, Any]] = {
    path.name: json.loads(path.read_text()) for path in sorted(dashboards.FOLDER.glob("*.json"))
}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def loaded(name: str) -> Any:
    return yaml.safe_load((PROVISIONING / name).read_text())


def test_the_dashboards_are_what_the_boards_make() -> None:
    stored = {path.name: path.read_text() for path in dashboards.FOLDER.iterdir()}

    assert stored == dashboards.files(), "run python -m deploy.tools.dashboards"
    assert len(stored) == 5


def test_grafanas_rules_are_what_the_alert_rules_make() -> None:
    made = grafana_rules.provisioning(rules.groups("alerts"))

    assert grafana_rules.FILE.read_text() == made, "run python -m deploy.tools.grafana_rules"
    assert made != grafana_rules.provisioning(changed_rules())


def changed_rules() -> rules.Groups:
    found = rules.groups("alerts")
    found[0]["rules"][0]["expr"] = "vector(1)"
    return found


def test_every_alert_is_a_rule_of_grafana_with_the_same_query_wait_and_words() -> None:
    made = [rule for group in loaded("alerting/rules.yaml")["groups"] for rule in group["rules"]]
    by_key = {(rule["title"], rule["labels"]["severity"]): rule for rule in made}

    for rule in rules.rules("alerts"):
        ours = by_key.pop((rule["alert"], rule["labels"]["severity"]))
        assert ours["data"][0]["model"]["expr"].replace("$$", "$") == rule["expr"]
        assert ours["for"] == rule.get("for", "0s")
        assert ours["annotations"]["runbook_url"] == rule["annotations"]["runbook_url"]
        for text in ours["annotations"].values():
            assert "$" not in text.replace("$$", "")
    assert by_key == {}
    assert len({rule["uid"] for rule in made}) == len(made)
    assert max(len(rule["uid"]) for rule in made) <= 40
    for folder in grafana_rules.FOLDERS.values():
        groups = [group for group in loaded("alerting/rules.yaml")["groups"] if group["folder"] == folder]
        titles = [rule["title"] for group in groups for rule in group["rules"]]
        assert len(titles) == len(set(titles))


def test_grafana_sends_again_before_alertmanager_thinks_it_over() -> None:
    [policy] = loaded("alerting/delivery.yaml")["policies"]
    alertmanager = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())

    assert policy["repeat_interval"] == "1m"
    assert alertmanager["global"]["resolve_timeout"] == "5m"
    assert policy["receiver"] == loaded("alerting/delivery.yaml")["contactPoints"][0]["name"]


def test_the_data_sources_have_the_names_that_rules_and_dashboards_use() -> None:
    sources = {source["uid"]: source for source in loaded("datasources/datasources.yaml")["datasources"]}

    assert sources["prometheus"]["jsonData"]["manageAlerts"]
    assert sources["alertmanager"]["jsonData"]["implementation"] == "prometheus"
    asked = {
        step["datasourceUid"]
        for group in loaded("alerting/rules.yaml")["groups"]
        for rule in group["rules"]
        for step in rule["data"]
    }
    assert asked == {"prometheus", "__expr__"}


@every_board
def test_every_panel_says_what_it_shows_in_which_unit_from_the_chosen_data_source(
    board: dict[str, Any],
) -> None:
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 0
    for panel in board["panels"]:
        assert panel["title"]
        assert len(panel["description"]) > 5
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert target["legendFormat"]
            assert re.findall(r"\b(?:rate|irate)\([^\[]*\[(?!\$__rate_interval\])", target["expr"]) == []
        calcs = panel["options"].get("reduceOptions", {}) | panel["options"].get("legend", {})
        assert calcs["calcs"]


@every_board
def test_a_dashboard_leads_to_the_others_to_the_jobs_and_to_the_runbooks(board: dict[str, Any]) -> None:
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "house", "docs"]
    assert board["editable"] is False
    others, *outside = board["links"]
    assert (others["type"], others["tags"]) == ("dashboards", ["youtube-rag"])
    assert [link["url"] for link in outside] == ["${house}/dramatiq", "${docs}/runbooks"]
    for panel in board["panels"]:
        for link in panel.get("links", []):
            assert (ROOT / link["url"].replace("${docs}", "docs")).is_file()


def test_no_two_panels_lie_over_one_another() -> None:
    for board in BOARDS.values():
        taken = set[tuple[int, int]]()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_every_alert_but_the_watchdog_is_linked_from_a_panel() -> None:
    text = "".join(path.read_text() for path in dashboards.FOLDER.iterdir())

    shown = set(re.findall(r"runbooks/(\w+)\.md", text))
    unlinked = {rule["alert"] for rule in rules.every()} - shown
    assert unlinked <= {"Watchdog", "MetricsAbsent"}
