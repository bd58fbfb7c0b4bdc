"""A real control plane of Kubernetes on a host: etcd, the API server, the controller manager, the scheduler.

Everything that it is, is on the host's disk, so that it comes back with its state when the host gets its power back.
Nothing of how fast Kubernetes reacts is changed: grace periods, tolerations and intervals are those of production.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.dataplane.kubernetes_authority import (
    ClusterAuthority,
    KeyPair,
    issue_signing_key,
    write_kubeconfig,
    write_secret,
)
from drdrill.dataplane.kubernetes_component import Assembly, Component, HealthAddress

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.dataplane.host import Host
    from drdrill.dataplane.kubernetes_programs import KubernetesPrograms

API_PORT = 443  # as EKS's endpoints have it
SERVICE_RANGE = "172.20.0.0/16"  # EKS's own choice for a VPC of 10.0.0.0/8
DNS_ADDRESS = "172.20.0.10"  # EKS's own choice, too
API_ADDRESS = "172.20.0.1"  # the first of the range: what programs in pods call the API by
CLUSTER_DOMAIN = "cluster.local"
_ETCD_PORT, _ETCD_PEERS, _ETCD_HEALTH = 2379, 2380, 2381
_CONTROLLERS_PORT, _SCHEDULER_PORT = 10257, 10259
# The mirror gives pods their addresses itself, as EKS's network plugin does.
_CONTROLLERS = "*,-nodeipam"
_READY_WITHIN = timedelta(seconds=90)  # measured 2 to 4 s, 20 s on a loaded machine
_ADDRESS_WITHIN = timedelta(seconds=10)  # measured 10 ms
_POLL = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True)
class ClusterName:
    """What a cluster is called: by people, and by the network."""

    name: str
    endpoint: str

    @property
    def server(self) -> str:
        """The address of its API."""
        return f"https://{self.endpoint}"


class ControlPlane:
    """The four servers, on one host."""

    def __init__(
        self,
        name: ClusterName,
        host: Host,
        programs: KubernetesPrograms,
        authority: ClusterAuthority,
        *,
        logs: Path,
        options: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.host = host
        self.authority = authority
        self._programs = programs
        self._logs = logs
        self._folder = host.disk / "kubernetes"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.bundle = self._folder / "authority.pem"
        write_secret(self.bundle, authority.bundle)
        self._administrator = authority.issue(
            self._folder, "administrator", user="kubernetes-admin", group="system:masters"
        )
        self._trusting = ssl.create_default_context(cafile=str(self.bundle))
        self._server = authority.issue(
            self._folder, "api-server", name.endpoint, host.address, API_ADDRESS, "127.0.0.1", "localhost",
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
        )  # fmt: skip
        signing = issue_signing_key(self._folder)
        self.token_key = signing.certificate.read_bytes()  # the public one, of service accounts' tokens
        self._assembly = Assembly(
            f"the cluster {name.name}",
            (self._etcd(),),
            (self._api_server(signing, options),),
            (self._controller_manager(signing), self._scheduler()),
        )

    def __repr__(self) -> str:
        return f"ControlPlane({self.name.name} on {self.host.name})"

    @property
    def components(self) -> tuple[Component, ...]:
        """The four servers."""
        return self._assembly.components

    @property
    def administrator(self) -> KeyPair:
        """What its administrator shows."""
        return self._administrator

    def context(self) -> ssl.SSLContext:
        """Return what a client of its API needs that asks as the administrator."""
        context = ssl.create_default_context(cafile=str(self.bundle))
        context.load_cert_chain(self._administrator.certificate, self._administrator.key)
        return context

    def bring_up(self, clock: Clock) -> None:
        """Start all of it and wait until all is ready; raises `EnvironmentFailedError` that says what is not."""
        self._assembly.bring_up(self._give_address, within=_READY_WITHIN, every=_POLL, clock=clock)

    def restart(self, clock: Clock) -> None:
        """Start again whatever of it ended; harmless when all runs."""
        self._assembly.restart(self._give_address, clock)

    def _give_address(self) -> None:
        """Let the host be found at the address that pods call the API by."""
        command = ["ip", "addr", "replace", f"{API_ADDRESS}/32", "dev", "lo"]
        self.host.run(command, within=_ADDRESS_WITHIN)

    def _etcd(self) -> Component:
        clients, peers = f"http://127.0.0.1:{_ETCD_PORT}", f"http://127.0.0.1:{_ETCD_PEERS}"
        command = [
            self._programs["etcd"], f"--data-dir={self.host.disk / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn",
            f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            # Alone it has nobody to wait for: with etcd's own patience (1 s) it takes that long to elect itself.
            "--heartbeat-interval=10", "--election-timeout=100", f"--listen-metrics-urls=http://{self.host.address}:{_ETCD_HEALTH}",
        ]  # fmt: skip
        return self._component("etcd", command, HealthAddress(self.host.address, _ETCD_HEALTH, "/health"))

    def _api_server(self, signing: KeyPair, options: tuple[str, ...]) -> Component:
        kubelets = self.authority.issue(
            self._folder, "kubelets-client", user="kube-apiserver-kubelet-client", group="system:masters"
        )
        users = self._folder / "users.pem"
        write_secret(users, self.authority.certificate)
        command = [
            self._programs["kube-apiserver"], f"--etcd-servers=http://127.0.0.1:{_ETCD_PORT}",
            "--bind-address=0.0.0.0", f"--secure-port={API_PORT}", f"--advertise-address={self.host.address}",
            f"--tls-cert-file={self._server.certificate}", f"--tls-private-key-file={self._server.key}",
            f"--client-ca-file={users}", f"--service-account-issuer={self.name.server}",
            f"--service-account-key-file={signing.certificate}", f"--service-account-signing-key-file={signing.key}",
            # Pods have their node's zone as a label, as from Kubernetes 1.35 on everywhere.
            "--feature-gates=PodTopologyLabelsAdmission=true",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            f"--service-cluster-ip-range={SERVICE_RANGE}", "--allow-privileged=true", "--profiling=false",
            f"--kubelet-certificate-authority={self.bundle}", f"--kubelet-client-certificate={kubelets.certificate}",
            f"--kubelet-client-key={kubelets.key}", "--kubelet-preferred-address-types=InternalIP", *options,
        ]  # fmt: skip
        return self._component("kube-apiserver", command, self._secure(API_PORT, "/readyz"))

    def _controller_manager(self, signing: KeyPair) -> Component:
        command = [
            *self._client("kube-controller-manager", _CONTROLLERS_PORT),
            f"--service-account-private-key-file={signing.key}", f"--root-ca-file={self.bundle}",
            "--use-service-account-credentials=true", f"--controllers={_CONTROLLERS}", "--profiling=false",
        ]  # fmt: skip
        return self._component(
            "kube-controller-manager", command, self._secure(_CONTROLLERS_PORT, "/healthz")
        )

    def _scheduler(self) -> Component:
        command = [*self._client("kube-scheduler", _SCHEDULER_PORT), "--profiling=false"]
        return self._component("kube-scheduler", command, self._secure(_SCHEDULER_PORT, "/readyz"))

    def _client(self, program: str, port: int) -> list[str]:
        """Return the command of a program that asks the API server, as itself, and is asked for its health."""
        pair = self.authority.issue(self._folder, program, user=f"system:{program}")
        kubeconfig = write_kubeconfig(
            self._folder / f"{program}.kubeconfig",
            server=f"https://{self.host.address}:{API_PORT}",
            authority=self.bundle,
            pair=pair,
        )
        return [
            self._programs[program], f"--kubeconfig={kubeconfig}", "--leader-elect=false",
            f"--bind-address={self.host.address}", f"--secure-port={port}",
            f"--tls-cert-file={self._server.certificate}", f"--tls-private-key-file={self._server.key}",
        ]  # fmt: skip

    def _secure(self, port: int, path: str) -> HealthAddress:
        return HealthAddress(self.host.address, port, path, self._trusting)

    def _component(self, name: str, command: list[str], health: HealthAddress) -> Component:
        log = self._logs / f"{self.host.name}-{name}.log"
        return Component(name, self.host, command, log=log, look=health.answers)
