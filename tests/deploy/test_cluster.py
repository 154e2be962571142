"""Kubernetes and Prometheus: the files as these would judge them, without a cluster, and whether all files agree."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from pmosync.cli.app import app
from pmosync.daemon.metrics import Metrics
from tests.deploy.conftest import DEPLOY, compose, documents, module
from tests.deploy.test_files import UNITS, crontab, last, unit

KUBERNETES = ("1.29", "1.33", "1.37")
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def objects() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in documents(path)]


def pods() -> list[dict[str, Any]]:
    """What every workload runs."""
    found = []
    for one in objects():
        spec = one["spec"]
        if one["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            found.append(spec["template"]["spec"])
    return found


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_would_take_every_manifest(version: str) -> None:
    validate = module("kubernetes_validate").validate
    for one in objects():
        assert validate(one, version, strict=True) == version


def test_kubernetes_runs_one_writer_at_a_time() -> None:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in objects():
        by_kind.setdefault(one["kind"], []).append(one["spec"])
    (deployment,) = by_kind["Deployment"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    (claim,) = by_kind["PersistentVolumeClaim"]
    assert claim["accessModes"] == ["ReadWriteOnce"]
    jobs = by_kind["CronJob"]
    assert {job["concurrencyPolicy"] for job in jobs} == {"Forbid"}
    assert {job["jobTemplate"]["spec"]["backoffLimit"] for job in jobs} == {0}
    for job in jobs:
        module("cronsim").CronSim(job["schedule"], datetime(2026, 11, 20, tzinfo=UTC))


def test_a_pod_has_no_right_that_pmosync_does_not_need() -> None:
    assert len(pods()) == 3
    for pod in pods():
        assert pod["enableServiceLinks"] is False, "PMOSYNC_PORT and others would be refused as unknown keys"
        assert pod["automountServiceAccountToken"] is False
        uid, gid = map(int, last("USER").split(":"))
        who = pod["securityContext"]
        assert (who["runAsNonRoot"], who["runAsUser"], who["runAsGroup"]) == (True, uid, gid)
        assert who["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in (*pod["initContainers"], *pod["containers"]):
            alone = container["securityContext"]
            assert alone["readOnlyRootFilesystem"] is True
            assert alone["allowPrivilegeEscalation"] is False
            assert alone["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_a_pod_mounts_only_what_it_declares_and_writes_only_on_the_volume_and_tmp() -> None:
    for pod in pods():
        declared = {volume["name"] for volume in pod["volumes"]}
        containers = (*pod["initContainers"], *pod["containers"])
        assert {mount["name"] for one in containers for mount in one["volumeMounts"]} == declared
        (container,) = pod["containers"]
        writable = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
        assert writable == {"/data", "/store", "/tmp"}


def test_the_probes_ask_the_port_that_the_daemon_listens_on() -> None:
    (container,) = (one for pod in pods() for one in pod["containers"] if one["args"][0] == "daemon")
    (port,) = container["ports"]
    assert container["args"] == compose()["command"] == ["daemon", "--listen", f"0.0.0.0:{port['containerPort']}"]
    asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {get["port"] for get in asked.values()} == {port["name"]}
    assert [get["path"] for get in asked.values()] == ["/healthz", "/healthz", "/readyz"]


# --- Prometheus -------------------------------------------------------------------------------------------------------


def rules() -> list[dict[str, Any]]:
    (file,) = documents(DEPLOY / "prometheus/alerts.yaml")
    return [rule for group in file["groups"] for rule in group["rules"]]


def metrics(text: str) -> set[str]:
    """The metrics of an expression, which has to be one."""
    parser = module("promql_parser")
    found: set[str] = set()

    def seen(part: Any) -> bool:
        if isinstance(part, parser.VectorSelector):
            found.add(part.name)
        return True

    parser.walk(parser.parse(text), pre_visit=seen)
    return found


def test_prometheus_would_take_every_rule_and_each_says_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert metrics(rule["expr"]), rule
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_rules_ask_for_metrics_that_the_daemon_has() -> None:
    asked = {name for rule in rules() for name in metrics(rule["expr"])} - {"up"}
    there = {family.name for family in Metrics(lambda: datetime.now(UTC)).registry.collect()}
    assert asked
    assert {name.removesuffix("_total") for name in asked} <= there


def test_prometheus_asks_the_port_that_the_daemon_listens_on() -> None:
    (file,) = documents(DEPLOY / "prometheus/scrape.yaml")
    (job,) = file["scrape_configs"]
    assert job["job_name"] in rules()[0]["expr"]
    host, _, port = compose()["ports"][0].rpartition(":")[0].partition(":")
    assert [one["targets"] for one in job["static_configs"]] == [[f"{host}:{port}"]]


# --- what they start --------------------------------------------------------------------------------------------------


def test_everything_that_deploy_starts_is_a_verb_of_pmosync() -> None:
    started = [line.split("&& pmosync ")[1].split()[0] for _, _, line in crontab()]
    started += [unit(name)["ExecStart"][0].split()[1] for name in UNITS if name.endswith(".service")]
    started += [one["args"][0] for pod in pods() for one in pod["containers"]] + compose()["command"][:1]
    assert set(started) == {"daemon", "sync", "reconcile"}
    assert set(started) <= {command.name for command in app.registered_commands}
