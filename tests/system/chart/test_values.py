"""Values that are wrong are refused in words, before anything reaches a cluster; what may be a mistake is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.chart.helm import CHART, DEFAULTS, VALUES, helm, template

if TYPE_CHECKING:
    from pathlib import Path

PARTS = "version: 1, name: parts, base_url: 'https://parts.example', match: {prefix: /parts}"
WRONG = [
    pytest.param("{replicas: 3}", ["at ''", "'replicas' not allowed"], id="a value that is not known"),
    pytest.param("{upstreams: {salla: null}}", ["upstreams is empty", "Name one"], id="nothing to serve"),
    pytest.param("{replicaCount: many}", ["/replicaCount", "want integer"], id="a wrong type"),
    pytest.param("{processes: auto}", ["/processes", "want integer"], id="processes that are not a number"),
    pytest.param("{config: {listn: '0.0.0.0:80'}}", ["/config", "'listn' not allowed"], id="a key of gateway.yaml"),
    pytest.param("{config: {upstreams: x.yaml}}", ["/config", "'upstreams' not allowed"], id="where upstreams are"),
    pytest.param("{config: {shutdown: {grace: 30}}}", ["/config/shutdown/grace"], id="a duration without a unit"),
    pytest.param(
        f"{{upstreams: {{parts: {{{PARTS}, timeouts: {{total: 5}}}}}}}}",
        ["/upstreams/parts/timeouts/total", "want string"],
        id="a key of an upstream",
    ),
    pytest.param(
        "{upstreams: {parts: {version: 1, name: parts, base_url: 'https://x', match: {prefx: /a}}}}",
        ["/upstreams/parts/match", "'prefx' not allowed", "missing property 'prefix'"],
        id="a key of an upstream that is misspelt",
    ),
    pytest.param("{upstreams: {Bad Name: 'x: 1'}}", ["/upstreams", "'Bad Name' not allowed"], id="a name"),
    pytest.param("{upstreams: {parts: 'a: [1'}}", ["upstreams.parts cannot be read as YAML"], id="a text"),
    pytest.param(
        "{terminationGracePeriodSeconds: 20}",
        ["is 20, and a pod's end may take 45 s", "Leave it out, or make it longer"],
        id="an end that is too short",
    ),
    pytest.param(
        "{config: {listen: '127.0.0.1:8080'}}",
        ["config.listen is 127.0.0.1:8080, which nobody outside", "write 0.0.0.0:8080"],
        id="an address that nobody reaches",
    ),
    pytest.param("{config: {admin: '0.0.0.0:0'}}", ["config.admin must say an address with a port"], id="port 0"),
    pytest.param("{config: {admin: '0.0.0.0:8080'}}", ["config.listen and config.admin have one port"], id="one port"),
    pytest.param(
        f"{{upstreams: {{parts: {{{PARTS}, credentials: {{inject: [{{header: A, value_env: TOKEN}}]}}}}}}}}",
        ["upstreams.parts.credentials names TOKEN", "env: {PARTS_TOKEN: {secret: parts, key: token}}"],
        id="a variable that nothing gives",
    ),
    pytest.param(
        "{config: {store: {redis: {url_env: REDIS_URL}}}}", ["config.store names REDIS_URL"], id="one of the store"
    ),
    pytest.param(
        "{config: {store: shared}, store: {redis: {secret: redis}}}",
        ['config.store is "shared", and store.redis.secret names a Redis'],
        id="two stores",
    ),
    pytest.param("{autoscaling: {enabled: true, minReplicas: 20}}", ["minReplicas is 20, which is more"], id="scaling"),
    pytest.param(
        "{autoscaling: {enabled: true}, resources: {limits: {cpu: 1}}}",
        ["say resources.requests.cpu"],
        id="scaling by shares of nothing",
    ),
    pytest.param("{podDisruptionBudget: {minAvailable: 1}}", ["takes one of maxUnavailable"], id="two budgets"),
    pytest.param("{ingress: {enabled: true}}", ["needs ingress.hosts"], id="an ingress for no host"),
    pytest.param("{httpRoute: {enabled: true}}", ["needs httpRoute.parentRefs"], id="a route of no gateway"),
    pytest.param("{files: {bank: {}}}", ["files.bank takes one of secret and configMap"], id="files from nowhere"),
    pytest.param("{files: {bank: {path: /x}}}", ["/files/bank", "'path' not allowed"], id="files with a path"),
]


@pytest.mark.parametrize(("values", "said"), WRONG)
def test_wrong_values_are_refused(values: str, said: list[str], tmp_path: Path) -> None:
    """What is wrong is said with its place, and nothing is rendered."""
    given = tmp_path / "values.yaml"
    given.write_text(values, encoding="utf-8")
    answer = template(DEFAULTS, given)
    assert (answer.status, answer.out) == (1, "")
    assert [part for part in said if part not in answer.err] == [], answer.err


def test_an_old_cluster_is_refused() -> None:
    """A version of Kubernetes that lacks what the chart uses is told before anything is made."""
    answer = template(DEFAULTS, options=("--kube-version", "1.29.0"))
    assert answer.status == 1
    assert "chart requires kubeVersion: >=1.30.0-0" in answer.err
    assert template(DEFAULTS, options=("--kube-version", "1.30.0")).status == 0


def _notes(entry: str) -> str:
    values = str(VALUES / f"{entry}.yaml")
    answer = helm(
        "install", "shop", str(CHART), "-n", "gateways", "--dry-run=client", "--hide-notes=false", "-f", values
    )
    assert answer.status == 0, answer.err
    return answer.out.partition("\nNOTES:\n")[2]


def test_notes_say_what_to_call() -> None:
    """After an install come the commands to see it, test it and call each upstream, by the names that it has."""
    notes = _notes("everything")
    assert "kubectl --namespace gateways rollout status deployment/shop-accord\n" in notes
    assert "helm test --namespace gateways shop\n" in notes
    assert "port-forward service/shop-accord 8080:8443 &" in notes
    assert "curl -i http://127.0.0.1:8080/salla/    # salla: https://api.salla.dev/admin/v2\n" in notes
    assert "8081:9090" in notes
    assert "https://gateway.example/" in notes
    assert "WARNING" not in notes
    assert "NOTE:" not in notes


@pytest.mark.parametrize(
    ("entry", "said", "unsaid"),
    [
        ("defaults", ["WARNING: there are several pods", "nothing tells Prometheus"], ["no network policy"]),
        ("alone", ["there is no network policy"], ["several pods"]),
        ("valkey", ["nothing tells Prometheus"], ["several pods"]),
    ],
)
def test_notes_warn(entry: str, said: list[str], unsaid: list[str]) -> None:
    """What works and may not be meant is told: several pods that count apart, an open admin port, no scrapes."""
    notes = _notes(entry)
    assert [part for part in said if part not in notes] == []
    assert [part for part in unsaid if part in notes] == []
