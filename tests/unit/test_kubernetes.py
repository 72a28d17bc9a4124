"""The manifests are what Kubernetes takes, and agree with the program and with docker-compose.yml."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from actors.worker import GRACE_S
from app.config import Config
from app.stages import POOLS
from deploy.tools.compose import ROOT
from tests.words import parse

FOLDER = ROOT / "deploy/kubernetes"
VERSION = "1.34"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for name in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((FOLDER / name).read_text())
]
SETTINGS = dict(line.split("=", 1) for line in (FOLDER / "settings.env").read_text().splitlines())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def named(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in MANIFESTS if manifest["kind"] == kind]


def containers(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    pod = deployment["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


OURS = [one for one in of_kind("Deployment") if one["metadata"]["name"] != "egress"]
deployments = pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=named)
ours = pytest.mark.parametrize("deployment", OURS, ids=named)


@pytest.mark.parametrize(
    "manifest", [one for one in MANIFESTS if not one["apiVersion"].startswith("keda.sh/")], ids=named
)
def test_each_manifest_is_one_of_the_api(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_every_file_is_a_part_of_it() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}

    assert {*KUSTOMIZATION["resources"]} == files


@ours
def test_each_runs_a_program_of_ours_with_settings_that_it_takes(deployment: dict[str, Any]) -> None:
    for container in containers(deployment):
        own = {given["name"]: given["value"] for given in container.get("env", [])}
        secrets = {f"YTRAG_{name}_URL": f"{scheme}://ytrag:s3cret@x/y"
                   for name, scheme in (("DATABASE", "mysql"), ("BROKER", "amqp"))}  # fmt: skip
        config = Config.from_env(SETTINGS | own | secrets)
        program, name, *arguments = container["command"]

        assert program == "ytrag"
        parse([name, *arguments])
        assert config.env == "production"
        pod = deployment["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] > config.shutdown_timeout_s + GRACE_S
        for probe in ("livenessProbe", "readinessProbe"):
            if asked := container.get(probe, {}).get("httpGet"):
                assert (asked["path"], asked["port"]) in {
                    *(
                        (path, port)
                        for path in ("/healthz", "/readyz")
                        for port in (config.port, config.metrics_port)
                    )
                }
                assert asked["port"] in [port["containerPort"] for port in container["ports"]]


@deployments
def test_each_pod_is_closed_bounded_and_watched(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in containers(deployment):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
    assert {"livenessProbe", "readinessProbe"} <= pod["containers"][0].keys()


@deployments
def test_images_are_those_of_the_compose_file(deployment: dict[str, Any]) -> None:
    renamed = {image["name"] for image in KUSTOMIZATION["images"]}

    for container in containers(deployment):
        assert container["image"] in {told["image"] for told in COMPOSE.values()}
        assert container["image"] in renamed
    name = deployment["metadata"]["name"]
    assert containers(deployment)[-1]["image"] == COMPOSE[name]["image"]


def test_there_are_the_services_of_the_compose_file_and_every_pool_grows_with_its_queues() -> None:
    names = {one["metadata"]["name"] for one in of_kind("Deployment")}
    servers = {"rabbitmq", "mysql", "prometheus", "alertmanager", "grafana", "caddy"}  # the cluster's own
    assert names == COMPOSE.keys() - servers - {
        "models",
        "worker-asr-gpu",
    }  # an init container; a node's matter

    for pool in Config().pools():
        [scaler] = [one for one in of_kind("ScaledObject") if one["metadata"]["name"] == f"worker-{pool}"]
        assert scaler["spec"]["scaleTargetRef"]["name"] == f"worker-{pool}"
        queues = {trigger["metadata"]["queueName"] for trigger in scaler["spec"]["triggers"]}
        assert queues == {name for name, of in POOLS.items() if of == pool}
        [deployment] = [one for one in OURS if one["metadata"]["name"] == f"worker-{pool}"]
        assert "replicas" not in deployment["spec"]  # or each apply would undo what KEDA does
    [authentication] = of_kind("TriggerAuthentication")
    assert authentication["spec"]["secretTargetRef"][0]["key"] == "YTRAG_BROKER_URL"


def test_what_must_not_go_all_at_once_has_a_disruption_budget() -> None:
    guarded = {
        one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in of_kind("PodDisruptionBudget")
    }

    assert guarded == {one["metadata"]["name"] for one in of_kind("Deployment")} - {"exporter"}


def test_only_the_proxy_reaches_the_internet_and_it_is_the_one_of_the_compose_file() -> None:
    wide = {
        policy["metadata"]["name"]
        for policy in of_kind("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for target in rule.get("to", [])
        if target.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    }
    [config] = of_kind("ConfigMap")

    assert wide == {"egress"}
    assert config["data"]["squid.conf"] == (ROOT / "deploy/egress/squid.conf").read_text()
