"""The chart's values: one model, whose defaults are those of `accord/values.yaml`.

`config` and `upstreams` are the configuration's own models, so that a chart's fault is found before a pod's.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.config.models import GatewayFile, UpstreamFile
from gateway.config.values import EnvironmentVariable, Name
from helm.kubernetes import (
    Autoscaling,
    Count,
    Drain,
    Files,
    HttpRoute,
    Image,
    Ingress,
    Key,
    Label,
    Labels,
    Mapping,
    Metrics,
    NetworkPolicy,
    ObjectName,
    Part,
    PodDisruptionBudget,
    Probes,
    RollingUpdate,
    SecretKey,
    Service,
    ServiceAccount,
    Variable,
)

__all__ = ["RedisStore", "Store", "Values"]


class RedisStore(Part, title="redis"):
    """A Redis or Valkey whose address is in a Secret."""

    secret: ObjectName | None = None
    """The Secret. When it is named, `config.store` is `redis`."""
    url_key: Key = "url"
    """The key that holds the address: `rediss://user:password@host:6379/0`."""
    hash_key: Key | None = None
    """The key that holds the secret by which principals are hashed (`store.redis.secret_env`)."""


class Store(Part, title="store"):
    """Where limits keep their counts, when that is not the memory of each pod."""

    redis: RedisStore = RedisStore()
    """A Redis or Valkey, which all pods share. Its other settings stand in `config.store.redis`."""


class Values(Part, title="values"):
    """`values.yaml`."""

    name_override: Label = ""
    """In place of the chart's name in the names of objects."""
    fullname_override: Label = ""
    """In place of the release's and the chart's name."""
    image: Image = Image()
    """The image that pods run."""
    image_pull_secrets: tuple[Mapping, ...] = ()
    """Secrets for the registry: `[{name: registry}]`."""
    replica_count: Annotated[int, Field(ge=0)] = 2
    """How many pods, unless `autoscaling` decides."""
    processes: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes in each pod, which share its port and its counts. Not `auto`, which would count the node's CPUs."""
    config: GatewayFile = GatewayFile.model_validate(
        {"version": 1, "listen": "0.0.0.0:8080", "admin": "0.0.0.0:8081", "shutdown": {"delay": "5s", "grace": "30s"}}
    )
    """`gateway.yaml`, but for `upstreams`: its keys are those of the configuration reference."""
    upstreams: dict[Name, UpstreamFile | str | None] = {}
    """Upstream files by name, one at least: each a mapping, or its text (`|`), which keeps comments and order."""
    store: Store = Store()
    """Where limits keep their counts, when that is not the memory of each pod."""
    env: dict[EnvironmentVariable, SecretKey] = {}
    """What the `*_env` keys of the configuration name: `PARTS_TOKEN: {secret: parts, key: token}`."""
    env_from: tuple[Mapping, ...] = ()
    """Whole Secrets as variables: `[{secretRef: {name: accord}}]`."""
    extra_env: tuple[Variable, ...] = ()
    """Further variables, as Kubernetes writes them."""
    files: dict[ObjectName, Files] = {}
    """Certificates and keys: `bank: {secret: bank-tls}` is at `/etc/accord-files/bank/tls.crt`."""
    drain: Drain = Drain()
    """What a pod's end takes beside `config.shutdown`."""
    termination_grace_period_seconds: Count | None = None
    """How long Kubernetes waits for a pod's end. Left out: `drain` and `config.shutdown` added up; less is refused."""
    probes: Probes = Probes()
    """What the kubelet asks."""
    resources: Mapping = {}
    """Left out, for each process: 500m and 128Mi are requested, 1 CPU and 512Mi are the limits."""
    pod_security_context: Mapping = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    """The pod's security context."""
    security_context: Mapping = {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    """The container's security context."""
    rolling_update: RollingUpdate = RollingUpdate()
    """How pods are replaced."""
    revision_history_limit: Count = 5
    """How many old versions can be rolled back to by `kubectl rollout undo`."""
    host_network: bool = False
    """Use the node's network; one pod for each node then."""
    topology_spread_constraints: tuple[Mapping, ...] = (
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"},
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"},
    )
    """How pods are spread; the selector is put in."""
    node_selector: Labels = {}
    """Labels of the nodes to run on."""
    tolerations: tuple[Mapping, ...] = ()
    """Taints to run in spite of."""
    affinity: Mapping = {}
    """Where to run rather."""
    priority_class_name: str = ""
    """The pods' priority class."""
    common_labels: Labels = {}
    """Labels on every object."""
    annotations: Labels = {}
    """Annotations on the Deployment."""
    pod_labels: Labels = {}
    """Labels on pods."""
    pod_annotations: Labels = {}
    """Annotations on pods."""
    extra_volumes: tuple[Mapping, ...] = ()
    """Further volumes."""
    extra_volume_mounts: tuple[Mapping, ...] = ()
    """Where they are."""
    service: Service = Service()
    """The Service that clients reach."""
    ingress: Ingress = Ingress()
    """An Ingress in front of the Service."""
    http_route: HttpRoute = HttpRoute()
    """An HTTPRoute of the Gateway API in front of the Service."""
    autoscaling: Autoscaling = Autoscaling()
    """A HorizontalPodAutoscaler."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """A PodDisruptionBudget: how many pods may be evicted at one time."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """A NetworkPolicy: who reaches the pods, and what they reach."""
    service_account: ServiceAccount = ServiceAccount()
    """The ServiceAccount that pods run as."""
    metrics: Metrics = Metrics()
    """How Prometheus and Grafana learn of the release."""
    extra_objects: tuple[Mapping, ...] = ()
    """Further objects of the release, as they are."""
    global_: Annotated[dict[str, Any], Field(alias="global")] = {}
    """Values of a chart that this one is part of; nothing is read here."""
