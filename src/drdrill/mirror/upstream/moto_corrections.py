"""What moto says of things that it was told otherwise. In moto's process; each correction says what was seen."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from moto import backends
from moto.core.exceptions import JsonRESTError
from moto.ec2.exceptions import InvalidAvailabilityZoneError
from moto.ec2.models.subnets import SubnetBackend
from moto.kms.models import KmsBackend
from moto.secretsmanager.models import FakeSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def correct_moto() -> None:
    """Make all corrections; of use once in a process."""
    secret: Any = FakeSecret
    secret.create_replicas = _name_keys(secret.create_replicas)
    networks: Any = SubnetBackend
    networks.create_subnet = _require_own_zone(networks.create_subnet)
    keys: Any = KmsBackend
    keys.encrypt = _require_enabled(keys.encrypt)
    keys.decrypt = _require_enabled(keys.decrypt)
    for name in ("enable_key", "disable_key", "schedule_key_deletion", "cancel_key_deletion"):
        setattr(keys, name, _take_arns(getattr(keys, name)))
    modules: Any = backends
    modules.list_of_moto_modules = _list_once(modules.list_of_moto_modules)


def _list_once(list_modules: Callable[[], Iterable[str]]) -> Callable[[], Sequence[str]]:
    """Have the list of moto's services read from the disk once (moto 5.2: twice a call, two thirds of a small one)."""

    @cache
    def list_of_moto_modules() -> Sequence[str]:
        return tuple(list_modules())

    return list_of_moto_modules


def _name_keys(create: Callable[..., Any]) -> Callable[..., Any]:
    """Have replicas of a secret say which key they were asked to be encrypted with (moto 5.2: AWS's own, always).

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicaRegionType.html
    """

    def create_replicas(
        self: Any, replica_regions: Sequence[Mapping[str, str]], force_overwrite: bool
    ) -> Any:
        replicas = create(self, replica_regions, force_overwrite)
        for replica, asked in zip(replicas, replica_regions, strict=True):
            if "KmsKeyId" in asked:
                replica.config["KmsKeyId"] = asked["KmsKeyId"]
        return replicas

    return create_replicas


def _require_enabled(act: Callable[..., Any]) -> Callable[..., Any]:
    """Have a key that is disabled, or to be deleted, encrypt and decrypt nothing (moto 5.2: it does, data keys too).

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = act(self, *arguments, **named)
        key = self.keys[self.any_id_to_key_id(answer[-1])]
        if key.key_state == "PendingDeletion":
            raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        if key.key_state == "Disabled":
            raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
        return answer

    return call


def _take_arns(act: Callable[..., Any]) -> Callable[..., Any]:
    """Have an operation on a key take its ARN, too (moto 5.2: it crashes).

    https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
    """

    def call(self: Any, key_id: str, *arguments: Any, **named: Any) -> Any:
        return act(self, self.get_key_id(key_id), *arguments, **named)

    return call


def _require_own_zone(create: Callable[..., Any]) -> Callable[..., Any]:
    """Have subnets made in zones of their region only.

    moto 5.2 makes them in every region's zones.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
    """

    def create_subnet(  # noqa: PLR0917 (moto's own parameters)
        self: Any,
        vpc_id: str,
        cidr_block: str,
        ipv6_cidr_block: str | None = None,
        availability_zone: str | None = None,
        availability_zone_id: str | None = None,
        **named: Any,
    ) -> Any:
        zones = {zone.zone_id: zone.name for zone in self.describe_availability_zones()}
        zone = availability_zone or zones.get(availability_zone_id or "", availability_zone_id)
        if zone not in zones.values():
            raise InvalidAvailabilityZoneError(zone, ", ".join(zones.values()))
        return create(self, vpc_id, cidr_block, ipv6_cidr_block, zone, **named)

    return create_subnet
