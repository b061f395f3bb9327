"""What the chart makes of each set of values is valid by Kubernetes' own schemas, fits together, and is safe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.system.chart.helm import CHART, DEFAULTS, NAMESPACE, RELEASE, VALUES, helm, objects, only, rendered, template
from tests.system.chart.shapes import SHAPES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.chart.helm import Object

MATRIX = sorted(file.stem for file in VALUES.glob("*.yaml"))
KUBERNETES = ("1.30", "1.33", "1.35")
"""The oldest that Chart.yaml allows, and newer ones."""
EVERYTHING = {
    "ConfigMap",
    "Deployment",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "NetworkPolicy",
    "Pod",
    "PodDisruptionBudget",
    "PrometheusRule",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
}
every_entry = pytest.mark.parametrize("entry", MATRIX)


def _pods(found: tuple[Object, ...]) -> list[dict[str, Any]]:
    """Return the specification of each pod."""
    return [
        one["spec"]["template"]["spec"] if one["kind"] == "Deployment" else one["spec"]
        for one in found
        if one["kind"] in {"Deployment", "Pod"}
    ]


def _container(found: tuple[Object, ...]) -> dict[str, Any]:
    (container,) = only(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


@every_entry
def test_lint_is_content(entry: str) -> None:
    """`helm lint --strict` finds nothing, with any of the values."""
    said = helm("lint", "--strict", str(CHART), "--values", str(VALUES / f"{entry}.yaml"))
    assert said.status == 0, said.out
    assert "[WARNING]" not in said.out + said.err


@every_entry
@pytest.mark.parametrize("version", KUBERNETES)
def test_objects_are_valid(entry: str, version: str) -> None:
    """Each object is valid by the schemas of Kubernetes, with no key that it does not know."""
    for one in rendered(entry):
        if one["kind"] not in SHAPES:
            kubernetes_validate.validate(one, version, strict=True)


@every_entry
def test_objects_of_operators_have_their_shape(entry: str) -> None:
    """What Kubernetes has no schema of has the members that its operator asks for, and no others."""
    for one in rendered(entry):
        if one["kind"] in SHAPES:
            jsonschema.validate(one, SHAPES[one["kind"]])


def test_everything_is_made() -> None:
    """Each kind of object that the chart has is made when it is asked for; by default, what always makes sense."""
    found = rendered("everything")
    assert {one["kind"] for one in found} == EVERYTHING
    assert any(one["metadata"]["name"] == "more" for one in found), "of extraObjects"
    assert {one["kind"] for one in rendered("defaults")} == {
        "ConfigMap",
        "Deployment",
        "NetworkPolicy",
        "Pod",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


@every_entry
def test_names_are_names(entry: str) -> None:
    """No name is longer than 63 or used twice, and what is cut ends in no dash; each object says whose it is."""
    found = [one for one in rendered(entry) if one["metadata"]["name"] != "more"]
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(names)) == len(names)
    assert [name for _, name in names if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)] == []
    for one in found:
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "accord"
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert one["metadata"]["namespace"] in {NAMESPACE, "monitoring"}
    volumes = [volume["name"] for volume in only(rendered(entry), "Deployment")["spec"]["template"]["spec"]["volumes"]]
    assert [name for name in volumes if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)] == []


# ---- safety ----------------------------------------------------------------------------------------------------------


@every_entry
def test_pods_have_no_rights(entry: str) -> None:
    """No pod is root, gains a privilege, writes to its root, sees the node, or holds a token of the cluster."""
    for pod in _pods(rendered(entry)):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["runAsGroup"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostPID", "hostIPC"}
        assert not pod.get("hostNetwork", False) or entry == "alone", "asked for there alone"
        assert not any("hostPath" in volume for volume in pod.get("volumes", ()))
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context


def test_the_network_of_the_node_is_used_where_it_is_asked_for() -> None:
    """`hostNetwork` is the gateway's, with the cluster's DNS all the same."""
    pod = only(rendered("alone"), "Deployment")["spec"]["template"]["spec"]
    assert (pod["hostNetwork"], pod["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")


@every_entry
def test_pods_are_bounded(entry: str) -> None:
    """Each container asks for CPU and memory, has limits of both, and names its image by a version."""
    for pod in _pods(rendered(entry)):
        for container in pod["containers"]:
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
            assert re.search(r":(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?$", container["image"])


def test_a_process_is_never_held_up() -> None:
    """The limit of CPUs leaves each process a whole one, and the supervisor what it needs."""
    assert _container(rendered("defaults"))["resources"]["limits"]["cpu"] == "1"
    assert _container(rendered("valkey"))["resources"]["limits"]["cpu"] == "5"
    assert _container(rendered("valkey"))["args"][-2:] == ["--processes", "4"]


@every_entry
def test_no_secret_is_made(entry: str) -> None:
    """A secret is only ever named: the chart makes none, and gives variables and certificates by reference."""
    found = rendered(entry)
    assert not any(one["kind"] == "Secret" for one in found)
    own = [one for one in _container(found).get("env", ()) if one["name"] != "PYTHONMALLOC"]
    assert all(one["valueFrom"]["secretKeyRef"].keys() == {"name", "key"} for one in own)


# ---- how things hang together ----------------------------------------------------------------------------------------


@every_entry
def test_selectors_find_the_pods(entry: str) -> None:
    """Each selector is of the gateway's pods and not of the test's; ports are ones that the container has."""
    found = rendered(entry)
    deployment = only(found, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in _container(found)["ports"]}
    wanted = deployment["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= labels.items()
    assert not wanted.items() <= only(found, "Pod")["metadata"]["labels"].items()
    for one in found:
        if one["kind"] == "Service":
            assert one["spec"]["selector"] == wanted
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports.keys()
        if one["kind"] == "PodDisruptionBudget":
            assert one["spec"]["selector"]["matchLabels"] == wanted
        if one["kind"] == "NetworkPolicy":
            assert one["spec"]["podSelector"]["matchLabels"] == wanted
            assert [rule["ports"][0]["port"] for rule in one["spec"]["ingress"][:2]] == [ports["http"], ports["admin"]]
    for constraint in deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
        assert constraint["labelSelector"]["matchLabels"] == wanted


def test_the_monitor_finds_the_admin_port_alone() -> None:
    """Prometheus is led to the Service of the admin port, and clients never are."""
    found = rendered("everything")
    monitor, services = only(found, "ServiceMonitor"), [one for one in found if one["kind"] == "Service"]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    (service,) = [one for one in services if wanted.items() <= one["metadata"]["labels"].items()]
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == RELEASE
    assert [port["name"] for port in service["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]] == ["admin"]
    assert service["spec"]["clusterIP"] == "None"
    clients = only(found, "Service", "accord")
    assert [port["name"] for port in clients["spec"]["ports"]] == ["http"]
    assert only(found, "HTTPRoute")["spec"]["rules"][0]["backendRefs"] == [{"name": "shop-accord", "port": 8443}]
    (path, *_) = only(found, "Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "shop-accord", "port": {"name": "http"}}


def test_traffic_goes_only_where_the_configuration_says() -> None:
    """The policy lets out to DNS, the store and the ports of the upstreams; elsewhere only where it is asked for."""

    def ports(entry: str) -> list[list[int]]:
        rules = only(rendered(entry), "NetworkPolicy")["spec"]["egress"]
        return [[port["port"] for port in rule["ports"]] for rule in rules]

    assert ports("defaults") == [[53, 53], [443]]
    assert ports("everything") == [[53, 53], [6379, 26379], [8080, 443], [4317]]
    assert ports("valkey") == [[5353, 5353], [6379, 26379], [8443]]


def test_rules_let_in_whom_the_values_name() -> None:
    """Clients are those named, and the pod of `helm test`; the admin port is for Prometheus."""
    clients, prometheus, more = only(rendered("everything"), "NetworkPolicy")["spec"]["ingress"]
    assert [list(peer) for peer in clients["from"]] == [["namespaceSelector"], ["podSelector"]]
    tested = only(rendered("everything"), "Pod")["metadata"]["labels"]
    assert clients["from"][1]["podSelector"]["matchLabels"].items() <= tested.items()
    assert prometheus["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    assert more == {"from": [{"podSelector": {}}]}
    anybody, *_ = only(rendered("defaults"), "NetworkPolicy")["spec"]["ingress"]
    assert "from" not in anybody


@every_entry
def test_an_upgrade_is_possible(entry: str) -> None:
    """What Kubernetes does not let change is the same in every set of values."""
    selector = only(rendered(entry), "Deployment")["spec"]["selector"]
    assert selector == only(rendered("defaults"), "Deployment")["spec"]["selector"]


def test_pods_are_replaced_without_a_gap() -> None:
    """An update takes no pod before another is ready, evictions one at a time, and the scaler is not overruled."""
    update = only(rendered("defaults"), "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert update == {"maxSurge": "25%", "maxUnavailable": 0}
    assert only(rendered("defaults"), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "maxUnavailable" not in only(rendered("everything"), "PodDisruptionBudget")["spec"]
    assert only(rendered("defaults"), "Deployment")["spec"]["replicas"] == 2
    assert "replicas" not in only(rendered("everything"), "Deployment")["spec"]


@pytest.mark.parametrize(
    ("entry", "stop", "seconds"),
    [
        ("defaults", 5, 5 + 5 + 30 + 5),
        ("valkey", 5, 5 + 1 + 120 + 5),
        ("alone", None, 5 + 30 + 1),
        ("everything", 5, 180),
    ],
)
def test_an_end_has_its_time(entry: str, stop: int | None, seconds: int) -> None:
    """Kubernetes waits as long as a pod's end may take: the hook, `shutdown.delay`, `shutdown.grace` and a margin."""
    pod = only(rendered(entry), "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == seconds
    assert _container(rendered(entry)).get("lifecycle") == (stop and {"preStop": {"sleep": {"seconds": stop}}})


@every_entry
def test_probes_ask_the_pages_that_there_are(entry: str) -> None:
    """Liveness is `/-/health`, readiness and the start `/-/ready`; `helm test` asks through the Service."""
    container = _container(rendered(entry))
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    port = "http" if entry == "alone" else "admin"
    assert asked == {
        "startup": {"path": "/-/ready", "port": port},
        "readiness": {"path": "/-/ready", "port": port},
        "liveness": {"path": "/-/health", "port": port},
    }
    service = next(
        one for one in rendered(entry) if one["kind"] == "Service" and one["spec"].get("clusterIP") != "None"
    )
    (test,) = only(rendered(entry), "Pod")["spec"]["containers"]
    address = f"{service['metadata']['name']}.{NAMESPACE}:{service['spec']['ports'][0]['port']}"
    assert test["args"] == ["health", "--url", f"http://{address}/-/ready"]


# ---- what starts new pods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        pytest.param({"config": {"limits": [{"name": "a", "requests": 5, "per": "1s"}]}}, False, id="a limit"),
        pytest.param({"config": {"via": "another"}}, False, id="a name"),
        pytest.param(
            {
                "upstreams": {
                    "one": {"version": 1, "name": "one", "base_url": "https://one.example", "match": {"prefix": "/one"}}
                }
            },
            False,
            id="an upstream",
        ),
        pytest.param({"config": {"listen": "[::]:8080"}}, True, id="listen"),
        pytest.param({"config": {"admin": "0.0.0.0:8082"}}, True, id="admin"),
        pytest.param({"config": {"store": "shared"}}, True, id="store"),
        pytest.param({"config": {"shutdown": {"grace": "60s"}}}, True, id="a longer end"),
        pytest.param({"processes": 2}, True, id="processes"),
        pytest.param({"store": {"redis": {"secret": "redis"}}}, True, id="a variable"),
    ],
)
def test_only_what_needs_it_starts_new_pods(change: dict[str, Any], anew: bool, tmp_path: Path) -> None:
    """A changed configuration is taken by the pods that run: the Deployment changes for what they cannot take alone."""
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(change))
    found = objects(template(DEFAULTS, values))
    assert only(found, "ConfigMap") != only(rendered("defaults"), "ConfigMap") or "processes" in change
    assert (only(found, "Deployment") != only(rendered("defaults"), "Deployment")) is anew


@every_entry
def test_a_changed_file_reaches_the_pod(entry: str) -> None:
    """The configuration is mounted as a whole folder: the kubelet never changes a mount that has a `subPath`."""
    container = _container(rendered(entry))
    assert not any("subPath" in mount for mount in container["volumeMounts"])
    (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/etc/accord"]
    pod = only(rendered(entry), "Deployment")["spec"]["template"]["spec"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == mount["name"]]
    made = [one for one in rendered(entry) if one["kind"] == "ConfigMap" and "gateway.yaml" in one["data"]]
    assert [volume["configMap"]["name"]] == [one["metadata"]["name"] for one in made]
    assert container["args"][:3] == ["serve", "--config", "/etc/accord/gateway.yaml"]
