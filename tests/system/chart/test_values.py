"""Values that are wrong are refused in words, before anything reaches a cluster; what may be a mistake is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.chart.helm import CHART, DEFAULTS, VALUES, helm, objects, only, template

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
    pytest.param("{metrics: null}", ["missing property 'metrics'"], id="a key with all below it commented out"),
    pytest.param("{config: {admin: ':8081'}}", ["config.admin must say an address"], id="no host"),
    pytest.param("{config: {listen: null}}", ["config.listen must say an address"], id="no address"),
    pytest.param("{fullnameOverride: '1e3'}", ["would be named 1e3", "begins with a letter"], id="a name of digits"),
    pytest.param(
        "{env: {A: {secret: a, key: a}}, extraEnv: [{name: A, value: b}]}", ["A is given twice"], id="a variable twice"
    ),
    pytest.param(
        "{extraEnv: [{name: A, value: 5}]}", ["/extraEnv/0/value", "want string"], id="a number as a variable"
    ),
    pytest.param(
        "{upstreams: {parts: 'match: /parts'}}", ["upstreams.parts must say base_url"], id="a text of something else"
    ),
    pytest.param(
        f'{{upstreams: {{parts: "base_url: https://parts.example\\nmatch: {{prefix: /}}\\n# {"x" * 1_050_000}"}}}}',
        ["a ConfigMap holds 1,048,576"],
        id="more than an object holds",
    ),
    pytest.param(
        "{metrics: {serviceMonitor: {enabled: true, interval: 5s}}}",
        ["scrapeTimeout is 10s, longer than interval, 5s"],
        id="a scrape that takes longer than it may",
    ),
    pytest.param(
        "{metrics: {prometheusRule: {enabled: true, runbookUrl: 'https://x/: y'}}}",
        ["runbookUrl is no address"],
        id="an address that breaks the rules",
    ),
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


def _notes(entry: str, more: str = "{}", folder: Path | None = None) -> str:
    values = ["-f", str(VALUES / f"{entry}.yaml")]
    if folder is not None:
        (folder / "more.yaml").write_text(more, encoding="utf-8")
        values += ["-f", str(folder / "more.yaml")]
    asked = ("--dry-run=client", "--hide-notes=false", *values)
    answer = helm("install", "shop", str(CHART), "-n", "gateways", *asked)
    assert answer.status == 0, answer.err
    return answer.out.partition("\nNOTES:\n")[2]


@pytest.mark.parametrize(
    "budget",
    [
        "{podDisruptionBudget: {maxUnavailable: null, minAvailable: 2}}",
        "{podDisruptionBudget: {maxUnavailable: 0%}, autoscaling: {enabled: null}}",
        "{podDisruptionBudget: {maxUnavailable: null, minAvailable: 2}, autoscaling: {enabled: true}, replicaCount: 9}",
    ],
)
def test_a_budget_that_lets_no_pod_go_is_told(budget: str, tmp_path: Path) -> None:
    """A node that could never be drained is told of, whether the number of pods is written or scaled."""
    assert "lets no pod go" in _notes("defaults", budget, tmp_path)
    assert "lets no pod go" not in _notes("defaults", "{podDisruptionBudget: {maxUnavailable: 1}}", tmp_path)


def test_ports_of_services_are_told(tmp_path: Path) -> None:
    """A policy does not know a Service's port: where an upstream is one, that is told; not of one outside."""
    inside = "{upstreams: {parts: {version: 1, name: parts, base_url: 'http://%s', match: {prefix: /p}}}}"
    for host, told in (("parts.shop.svc", True), ("parts", True), ("parts.example", False), ("10.0.0.1:80", False)):
        assert ("is a Service of the cluster" in _notes("defaults", inside % host, tmp_path)) is told


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


def test_empty_values_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    """A mapping or a list that is null (all below it is commented out) is an empty one."""
    keys = (
        "env",
        "envFrom",
        "extraEnv",
        "files",
        "commonLabels",
        "podLabels",
        "annotations",
        "nodeSelector",
        "tolerations",
    )
    given = tmp_path / "values.yaml"
    given.write_text("".join(f"{key}:\n" for key in keys), encoding="utf-8")
    assert template(DEFAULTS, given) == template(DEFAULTS)


def test_what_looks_like_a_number_stays_text(tmp_path: Path) -> None:
    """Names of digits, and variables and keys that YAML has other ideas of, come out as the texts that they are."""
    given = tmp_path / "values.yaml"
    given.write_text("{fullnameOverride: gateway, env: {'NO': {secret: '12', key: 'on'}}}", encoding="utf-8")
    answer = helm("template", "0123", str(CHART), "--namespace", "456", "-f", str(DEFAULTS), "-f", str(given))
    deployment = only(objects(answer), "Deployment")
    assert deployment["metadata"]["namespace"] == "456"
    assert deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"] == "0123"
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"]["app.kubernetes.io/instance"] == "0123"
    assert pod["spec"]["containers"][0]["env"] == [
        {"name": "NO", "valueFrom": {"secretKeyRef": {"name": "12", "key": "on"}}}
    ]


def test_dots_in_a_release_become_dashes() -> None:
    """A release may have dots in its name, a Service may not."""
    answer = helm("template", "shop.north", str(CHART), "-f", str(DEFAULTS))
    assert only(objects(answer), "Deployment")["metadata"]["name"] == "shop-north-accord"
