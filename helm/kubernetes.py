"""The chart's values that become objects of Kubernetes: how pods run, how they are reached, how many there are.

Keys are written as Kubernetes writes them. What it checks itself (`affinity`, `tolerations`) is any mapping here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway.dialects.spec import Strict

Mapping = dict[str, Any]
"""A mapping that Kubernetes knows, and not we."""
Labels = dict[str, str]
Label = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")]
ObjectName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
CountOrShare = Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^[0-9]{1,3}%$")]


class Part(Strict):
    """A mapping of the chart's values: its keys are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class Image(Part, title="image"):
    """The image that pods run."""

    repository: Annotated[str, Field(min_length=1)] = "accord"
    """The registry and the name, without a tag: `registry.example/accord`."""
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,128}$")] = ""
    """The tag; left out, the chart's `appVersion`."""
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    """`sha256:…`: what the registry must give, whatever the tag says."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the image is pulled."""


class SecretKey(Part, title="key of a secret"):
    """A key of a Secret that exists."""

    secret: ObjectName
    """The Secret's name."""
    key: Key
    """The key in it."""


class Variable(Part, title="variable"):
    """A variable of the container, as Kubernetes writes it."""

    name: Annotated[str, Field(min_length=1)]
    """Its name."""
    value: str | None = None
    """Its value, in quotes where it looks like a number; or"""
    value_from: Mapping | None = None
    """where it is."""


class Files(Part, title="files"):
    """A Secret or a ConfigMap that exists, whose keys become files."""

    secret: ObjectName | None = None
    """The Secret's name; or"""
    config_map: ObjectName | None = None
    """the ConfigMap's."""


class Drain(Part, title="drain"):
    """What a pod's end takes beside `config.shutdown`."""

    pre_stop_seconds: Seconds = 5
    """How long a pod that is to end still says that it is ready, before Accord is told; 0 leaves the hook out."""
    margin_seconds: Seconds = 5
    """What is left for closing when all else took its full time."""


class Probe(Part, title="probe"):
    """How often the kubelet asks, and what it makes of silence."""

    period_seconds: Count
    """From one question to the next."""
    timeout_seconds: Count
    """How long an answer may take."""
    failure_threshold: Count
    """After how many failures in a row it counts."""


class Probes(Part, title="probes"):
    """What the kubelet asks."""

    port: Literal["admin", "http"] = "admin"
    """`admin` speaks for all processes of a pod and is in no log and no metric; `http`, the client port, is what a load
    balancer wants that takes over the readiness probe.
    """
    startup: Probe = Probe(period_seconds=1, timeout_seconds=2, failure_threshold=60)
    """`/-/ready` until it answers once."""
    readiness: Probe = Probe(period_seconds=5, timeout_seconds=3, failure_threshold=2)
    """`/-/ready`: else the pod gets no new connections."""
    liveness: Probe = Probe(period_seconds=10, timeout_seconds=5, failure_threshold=6)
    """`/-/health`: else the container is started anew."""


class RollingUpdate(Part, title="rolling update"):
    """How pods are replaced."""

    max_surge: CountOrShare = "25%"
    """How many pods there may be beyond those wanted."""
    max_unavailable: CountOrShare = 0
    """How many of those wanted may be missing."""


class Service(Part, title="service"):
    """The Service that clients reach."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Its type."""
    port: Port = 80
    """Its port."""
    node_port: Port | None = None
    """The port of each node, where `type` has one; left out, Kubernetes chooses."""
    annotations: Labels = {}
    """Annotations, as for a cloud's load balancer."""
    spec: Mapping = {}
    """More of its `spec`: `externalTrafficPolicy`, `ipFamilyPolicy`, `loadBalancerSourceRanges`…"""


class IngressPath(Part, title="path"):
    """A path of an Ingress."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    """The path."""
    path_type: Literal["Exact", "Prefix", "ImplementationSpecific"] = "Prefix"
    """How it is matched."""


class IngressHost(Part, title="host"):
    """A host of an Ingress."""

    host: str
    """The name; empty for all."""
    paths: tuple[IngressPath, ...] = (IngressPath(),)
    """Its paths."""


class Ingress(Part, title="ingress"):
    """An Ingress in front of the Service."""

    enabled: bool = False
    """Make it."""
    class_name: str = ""
    """The controller's class; left out, the cluster's default."""
    annotations: Labels = {}
    """Annotations for its controller."""
    hosts: tuple[IngressHost, ...] = ()
    """The hosts: `[{host: gateway.example}]`, each perhaps with `paths`."""
    tls: tuple[Mapping, ...] = ()
    """Certificates: `[{hosts: [gateway.example], secretName: gateway-tls}]`."""


class HttpRoute(Part, title="HTTPRoute"):
    """An HTTPRoute of the Gateway API in front of the Service."""

    enabled: bool = False
    """Make it."""
    annotations: Labels = {}
    """Annotations."""
    parent_refs: tuple[Mapping, ...] = ()
    """The Gateways: `[{name: public, namespace: gateways}]`."""
    hostnames: tuple[str, ...] = ()
    """The host names; left out, those of the Gateway."""
    matches: tuple[Mapping, ...] = ({"path": {"type": "PathPrefix", "value": "/"}},)
    """Which requests."""
    filters: tuple[Mapping, ...] = ()
    """What the Gateway changes on them."""
    timeouts: Mapping = {}
    """How long the Gateway waits: `{request: 0s}`. Less than Accord waits, and clients see the Gateway's own errors."""


class Autoscaling(Part, title="autoscaling"):
    """A HorizontalPodAutoscaler."""

    enabled: bool = False
    """Make it; `replicaCount` is left to it."""
    min_replicas: Count = 2
    """The least pods."""
    max_replicas: Count = 10
    """The most pods."""
    target_cpu_utilization_percentage: Annotated[int, Field(ge=1, le=100)] = 70
    """Of the CPU that pods request."""
    behavior: Mapping = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 30}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Percent", "value": 25, "periodSeconds": 60}],
        },
    }
    """How fast: up at once, down slowly."""
    metrics: tuple[Mapping, ...] = ()
    """Further metrics to scale by."""


class PodDisruptionBudget(Part, title="disruption budget"):
    """A PodDisruptionBudget: how many pods may be evicted at one time."""

    enabled: bool = True
    """Make it."""
    max_unavailable: CountOrShare | None = 1
    """How many may be missing."""
    min_available: CountOrShare | None = None
    """Or how many must be there; then set `maxUnavailable` to null."""


class NetworkPolicy(Part, title="network policy"):
    """A NetworkPolicy: who reaches the pods, and what they reach."""

    enabled: bool = True
    """Make it. The admin port asks nobody who they are: without a policy the whole cluster reaches it."""
    clients: tuple[Mapping, ...] = ()
    """Who reaches the client port, as peers of a policy; left out, everybody."""
    prometheus: tuple[Mapping, ...] = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
    )
    """Who reaches the admin port, as peers; none: nobody."""
    dns: tuple[Mapping, ...] = ()
    """Where DNS is asked, as peers; left out, `dnsPorts` of anybody."""
    dns_ports: Annotated[tuple[Port, ...], Field(min_length=1)] = (53,)
    """The ports of DNS, as its pods have them: `[5353]` on OpenShift."""
    redis: tuple[Mapping, ...] = ()
    """Where Redis is, as peers; left out, `redisPorts` of anybody."""
    redis_ports: tuple[Port, ...] = (6379,)
    """The ports of Redis, beside those of `sentinel.nodes`. Reached only with `store.redis` or `config.store.redis`."""
    upstreams: tuple[Mapping, ...] = ()
    """Where upstreams are, as peers; left out, the ports of their `base_url`s anywhere."""
    extra_egress: tuple[Mapping, ...] = ()
    """Further rules for what pods reach."""
    extra_ingress: tuple[Mapping, ...] = ()
    """Further rules for who reaches them."""


class ServiceAccount(Part, title="service account"):
    """The ServiceAccount that pods run as. Its token is not mounted: Accord never asks Kubernetes anything."""

    create: bool = True
    """Make it."""
    name: Annotated[str, Field(max_length=253)] = ""
    """Its name; left out, that of the release, or `default` where none is made."""
    annotations: Labels = {}
    """Annotations, as for a cloud's identities."""


class ServiceMonitor(Part, title="service monitor"):
    """A ServiceMonitor of the Prometheus operator."""

    enabled: bool = False
    """Make it."""
    namespace: str = ""
    """Where; left out, the release's."""
    labels: Labels = {}
    """Labels by which a Prometheus finds it: `{release: prometheus}`."""
    interval: Annotated[str, Field(pattern=r"^[0-9]+(ms|s|m)$")] = "15s"
    """From one scrape to the next."""
    scrape_timeout: Annotated[str, Field(pattern=r"^[0-9]+(ms|s|m)$")] = "10s"
    """How long one may take."""
    metric_relabelings: tuple[Mapping, ...] = ()
    """What is changed on what was scraped."""


class PrometheusRule(Part, title="rules"):
    """PrometheusRules of the Prometheus operator, from `files/rules`."""

    enabled: bool = False
    """Make them."""
    namespace: str = ""
    """Where; left out, the release's."""
    labels: Labels = {}
    """Labels by which a Prometheus finds them."""
    runbook_url: str = ""
    """Where the folder `docs/runbooks` is on your web; left out, alerts name the page by its path alone."""


class Dashboards(Part, title="dashboards"):
    """ConfigMaps with the dashboards of `files/dashboards`, for Grafana's sidecar."""

    enabled: bool = False
    """Make them."""
    namespace: str = ""
    """Where; left out, the release's."""
    labels: Labels = {"grafana_dashboard": "1"}
    """Labels by which the sidecar finds them."""
    annotations: Labels = {}
    """Annotations: `{grafana_folder: Accord}`."""


class Metrics(Part, title="metrics"):
    """How Prometheus and Grafana learn of the release."""

    scrape_annotations: bool = False
    """`prometheus.io/…` annotations on pods, for a Prometheus without the operator."""
    service_monitor: ServiceMonitor = ServiceMonitor()
    """A ServiceMonitor of the Prometheus operator."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """Recording rules and alerts."""
    dashboards: Dashboards = Dashboards()
    """Dashboards for Grafana."""
