"""Operations on listeners and their certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.actions import describe_action, read_action
from drdrill.aws.elbv2.balancer_operations import refuse_unimplemented
from drdrill.aws.elbv2.forwarding import require_compatible
from drdrill.aws.elbv2.model import Kind, Listener, Rule
from drdrill.aws.elbv2.records import select_page
from drdrill.aws.elbv2.tag_operations import read_tags
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.elbv2.model import LoadBalancer
    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters

_HIGHEST_PORT = 65535
_PROTOCOLS = {Kind.APPLICATION: ("HTTP", "HTTPS"), Kind.NETWORK: ("TCP",)}
_PROTOCOLS_OF_AWS = {Kind.APPLICATION: (), Kind.NETWORK: ("TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC")}
_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
# What the proxies speak is TLS 1.2 and 1.3.
_POLICIES = (
    _DEFAULT_POLICY,
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-FS-1-2-2019-08",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
)
_MOST_LISTENERS, _MOST_CERTIFICATES = 50, 25  # quotas
_UNIMPLEMENTED = ("AlpnPolicy",)


class ListenerOperations:
    """The operations on the listeners of one region."""

    def __init__(self, region: ElbRegion) -> None:
        self._region = region
        self._records = region.records

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateListener": self.create_listener,
            "DescribeListeners": self.describe_listeners,
            "ModifyListener": self.modify_listener,
            "DeleteListener": self.delete_listener,
            "DescribeListenerAttributes": self.describe_listener_attributes,
            "AddListenerCertificates": self.add_listener_certificates,
            "RemoveListenerCertificates": self.remove_listener_certificates,
            "DescribeListenerCertificates": self.describe_listener_certificates,
        }

    def create_listener(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a load balancer listen on a port; its nodes do so a moment later."""
        balancer = self._records.balancer(parameters["LoadBalancerArn"])
        listener = self._read(
            balancer, Listener(self._region.arns.name_listener(balancer.arn), balancer.arn, "", 0), parameters
        )
        action, tags = read_action(parameters["DefaultActions"]), read_tags(parameters)
        with self._records.lock:
            balancer = self._records.balancer(balancer.arn)
            self._require_free(listener)
            if len(self._records.listeners_of(balancer.arn)) >= _MOST_LISTENERS:
                raise AwsError("TooManyListeners", "The maximum number of listeners has been reached")
            require_compatible(self._records, balancer, action)
            rule = Rule(self._region.arns.name_rule(listener.arn), listener.arn, None, (), action)
            self._records.listeners[listener.arn] = listener
            self._records.rules[rule.arn] = rule
            self._records.tags[listener.arn] = tags
            return {"Listeners": [self._describe(listener)]}

    def modify_listener(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change a listener: what is not named stays."""
        before = self._records.listener(parameters["ListenerArn"])
        balancer = self._records.balancer(before.balancer)
        self._read(balancer, before, parameters)  # has certificates at hand: ACM is not asked within the lock
        actions = parameters.get("DefaultActions")
        action = read_action(actions) if actions else None
        with self._records.lock:
            listener = self._read(balancer, self._records.listener(before.arn), parameters)
            self._require_free(listener)
            if action is not None:
                require_compatible(self._records, balancer, action)
                rule = self._records.default_rule(listener.arn)
                self._records.rules[rule.arn] = replace(rule, action=action)
            self._records.listeners[listener.arn] = listener
            return {"Listeners": [self._describe(listener)]}

    def _read(self, balancer: LoadBalancer, before: Listener, parameters: Parameters) -> Listener:
        refuse_unimplemented("CreateListener", parameters, _UNIMPLEMENTED)
        if parameters.get("MutualAuthentication", {}).get("Mode", "off") != "off":
            raise NotImplementedInMirrorError("The parameter MutualAuthentication of elbv2:CreateListener")
        protocol = parameters.get("Protocol", before.protocol)
        port = int(parameters.get("Port", before.port))
        if protocol in _PROTOCOLS_OF_AWS[balancer.kind]:
            raise NotImplementedInMirrorError(f"The protocol {protocol} of elbv2 listeners")
        if protocol not in _PROTOCOLS[balancer.kind]:
            text = f"Listener protocol '{protocol}' must be one of {', '.join(_PROTOCOLS[balancer.kind])}"
            raise AwsError("ValidationError", text)
        if not 1 <= port <= _HIGHEST_PORT:
            raise AwsError("ValidationError", f"Listener port must be from 1 to {_HIGHEST_PORT}")
        if protocol != "HTTPS":
            if parameters.get("Certificates") or parameters.get("SslPolicy"):
                text = f"Certificates and policies cannot be specified for {protocol} listeners"
                raise AwsError("InvalidConfigurationRequest", text)
            return replace(before, protocol=protocol, port=port, certificates=(), ssl_policy="")
        named = _read_certificates(parameters.get("Certificates", ()))
        if len(named) > 1 or (not named and not before.certificates):
            raise AwsError("ValidationError", "Exactly one certificate must be specified for HTTPS listeners")
        self._region.require_certificates(named)
        certificates = (*named, *before.certificates[1:]) if named else before.certificates
        policy = parameters.get("SslPolicy", before.ssl_policy or _DEFAULT_POLICY)
        _require_policy(policy)
        return replace(before, protocol=protocol, port=port, certificates=certificates, ssl_policy=policy)

    def _require_free(self, listener: Listener) -> None:
        for other in self._records.listeners_of(listener.balancer):
            if other.port == listener.port and other.arn != listener.arn:
                raise AwsError(
                    "DuplicateListener", "A listener already exists on this port for this load balancer"
                )

    def describe_listeners(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe the listeners that are named, or those of a load balancer."""
        arns, balancer = parameters.get("ListenerArns"), parameters.get("LoadBalancerArn")
        if bool(arns) == bool(balancer):
            raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
        with self._records.lock:
            if arns:
                listed: Sequence[Listener] = [self._records.listener(arn) for arn in arns]
            else:
                listed = self._records.listeners_of(self._records.balancer(str(balancer)).arn)
            page, more = select_page(listed, parameters, key=lambda one: one.arn)
            return {"Listeners": [self._describe(one) for one in page], **more}

    def delete_listener(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a load balancer listen no more on a port."""
        with self._records.lock:
            self._records.drop_listener(self._records.listener(parameters["ListenerArn"]).arn)
        return {}

    def describe_listener_attributes(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a listener's attributes, of which none can be set in the mirror."""
        listener = self._records.listener(parameters["ListenerArn"])
        if listener.protocol == "TCP":
            return {"Attributes": [{"Key": "tcp.idle_timeout.seconds", "Value": "350"}]}
        return {"Attributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}]}

    # -- certificates ---------------------------------------------------------------------------------------------

    def add_listener_certificates(self, parameters: Parameters) -> Mapping[str, Any]:
        """Add certificates beside the default one: the one that fits the name that a client asks for is shown."""
        named = _read_certificates(parameters["Certificates"])
        self._require_https(parameters["ListenerArn"])
        self._region.require_certificates(named)
        with self._records.lock:
            listener = self._require_https(parameters["ListenerArn"])
            certificates = tuple(dict.fromkeys((*listener.certificates, *named)))
            if len(certificates) > _MOST_CERTIFICATES + 1:
                raise AwsError("TooManyCertificates", "The maximum number of certificates has been reached")
            self._records.listeners[listener.arn] = replace(listener, certificates=certificates)
        return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in named]}

    def remove_listener_certificates(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take certificates away, but for the default one."""
        named = _read_certificates(parameters["Certificates"])
        with self._records.lock:
            listener = self._require_https(parameters["ListenerArn"])
            if listener.certificates[0] in named:
                text = "The default certificate cannot be removed from a listener"
                raise AwsError("OperationNotPermitted", text)
            left = tuple(arn for arn in listener.certificates if arn not in named)
            self._records.listeners[listener.arn] = replace(listener, certificates=left)
        return {}

    def describe_listener_certificates(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a listener's certificates."""
        listener = self._records.listener(parameters["ListenerArn"])
        return {
            "Certificates": [
                {"CertificateArn": arn, "IsDefault": number == 0}
                for number, arn in enumerate(listener.certificates)
            ]
        }

    def _require_https(self, arn: str) -> Listener:
        listener = self._records.listener(arn)
        if listener.protocol != "HTTPS":
            text = "Certificates can be specified for HTTPS listeners only"
            raise AwsError("InvalidConfigurationRequest", text)
        return listener

    def _describe(self, listener: Listener) -> dict[str, Any]:
        said = {
            "ListenerArn": listener.arn,
            "LoadBalancerArn": listener.balancer,
            "Port": listener.port,
            "Protocol": listener.protocol,
            "DefaultActions": describe_action(self._records.default_rule(listener.arn).action),
        }
        if listener.certificates:
            said |= {
                "Certificates": [{"CertificateArn": listener.certificates[0]}],
                "SslPolicy": listener.ssl_policy,
                "MutualAuthentication": {"Mode": "off"},
            }
        return said


def _read_certificates(described: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(one.get("CertificateArn", "") for one in described)


def _require_policy(name: str) -> None:
    if name not in _POLICIES:
        if name.startswith("ELBSecurityPolicy-"):
            raise NotImplementedInMirrorError(f"The SslPolicy {name} of elbv2 listeners")
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{name}' not found")
