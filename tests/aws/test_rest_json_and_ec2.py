"""The protocols of EKS and EC2: what an SDK sends arrives, and what is answered is what it returns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.sdk import REGION, SmallService, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.protocol import Parameters

AT = datetime(2026, 11, 3, 7, 30, tzinfo=UTC)
PRINCIPAL = "arn:aws:iam::000000000000:user/mirror"


class Heard(SmallService):
    """A service of one operation that remembers what it was asked."""

    def __init__(self, name: str, operation: str, answer: Mapping[str, Any]) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.answer = answer
        super().__init__({operation: self._hear}, name)

    def _hear(self, parameters: Parameters) -> Mapping[str, Any]:
        self.asked.append(parameters)
        return self.answer


def test_eks_labels_query_and_document() -> None:
    """Labels of the path, of which one holds a `/`, the query and the document are one operation's parameters."""
    heard = Heard("eks", "AssociateAccessPolicy", {"clusterName": "shop", "principalArn": PRINCIPAL})
    client = Wire({(REGION, "eks"): heard}).client("eks")
    wanted = {
        "clusterName": "shop",
        "principalArn": PRINCIPAL,
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        "accessScope": {"type": "namespace", "namespaces": ["orders", "billing"]},
    }
    answer = client.associate_access_policy(**wanted)
    assert (answer["clusterName"], answer["principalArn"]) == ("shop", PRINCIPAL)
    assert heard.asked == [wanted]


def test_eks_numbers_in_the_query_and_instants_in_answers() -> None:
    """A number of the query is a number; an instant of the answer is the same instant."""
    heard = Heard("eks", "ListUpdates", {"updateIds": ["a"], "nextToken": "more"})
    client = Wire({(REGION, "eks"): heard}).client("eks")
    assert client.list_updates(name="shop", nodegroupName="workers", maxResults=7)["updateIds"] == ["a"]
    assert heard.asked == [{"name": "shop", "nodegroupName": "workers", "maxResults": 7}]
    heard = Heard("eks", "DescribeCluster", {"cluster": {"name": "shop", "createdAt": AT}})
    client = Wire({(REGION, "eks"): heard}).client("eks")
    assert client.describe_cluster(name="shop")["cluster"]["createdAt"] == AT


def test_ec2_filters_and_nested_answers() -> None:
    """Lists of structures with lists arrive; lists of an answer are the SDK's lists."""
    answer = {
        "Reservations": [
            {"ReservationId": "r-1", "Instances": [{"InstanceId": "i-1", "LaunchTime": AT, "Tags": []}]}
        ]
    }
    heard = Heard("ec2", "DescribeInstances", answer)
    client = Wire({(REGION, "ec2"): heard}).client("ec2")
    filters = [
        {"Name": "tag:Name", "Values": ["a", "b"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    (found,) = client.describe_instances(InstanceIds=["i-1"], Filters=filters)["Reservations"]
    assert found["Instances"] == [{"InstanceId": "i-1", "LaunchTime": AT, "Tags": []}]
    assert heard.asked == [{"InstanceIds": ["i-1"], "Filters": filters}]


@pytest.mark.parametrize(
    ("service", "call", "said"),
    [
        ("eks", "describe_addon_versions", "eks:DescribeAddonVersions"),
        ("ec2", "describe_vpn_gateways", "ec2:"),
    ],
)
def test_what_is_not_there_is_named(service: str, call: str, said: str) -> None:
    """An operation that the mirror lacks is an error of AWS's shape that names it, and is not tried again."""
    wire = Wire({(REGION, service): SmallService({}, service)})
    with pytest.raises(ClientError, match=said) as caught:
        getattr(wire.client(service), call)()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert len(wire.sent) == 1
