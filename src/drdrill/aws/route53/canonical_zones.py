"""The hosted zones in which AWS's own services have their names, by service and region: what an alias must say.

Source: AWS General Reference, "Elastic Load Balancing endpoints", "Amazon API Gateway endpoints", "Amazon S3 endpoints"
(tables "Route 53 Hosted Zone ID"). Load balancers' are those that ELBv2 says of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.aws.elbv2.model import Kind
from drdrill.aws.elbv2.zone_ids import find_zone_id

if TYPE_CHECKING:
    from collections.abc import Mapping

_REGION = r"(?P<region>[a-z]{2,3}(?:-[a-z]+)+-\d)"
_BALANCER = re.compile(rf"[^.]+\.{_REGION}\.elb\.amazonaws\.com\.")
_NETWORK_BALANCER = re.compile(rf"[^.]+\.elb\.{_REGION}\.amazonaws\.com\.")
_API = re.compile(rf"[^.]+\.execute-api\.{_REGION}\.amazonaws\.com\.")
_WEBSITE = re.compile(rf"s3-website[.-]{_REGION}\.amazonaws\.com\.")
_API_ZONES: Mapping[str, str] = {
    "af-south-1": "Z2DHW2332DAMTN", "ap-east-1": "Z3FD1VL90ND7K5", "ap-northeast-1": "Z1YSHQZHG15GKL",
    "ap-northeast-2": "Z20JF4UZKIW1U8", "ap-northeast-3": "Z22ILHG95FLSZ2", "ap-south-1": "Z3VO1THU9YC4UR",
    "ap-southeast-1": "ZL327KTPIQFUL", "ap-southeast-2": "Z2RPCDW04V8134", "ca-central-1": "Z19DQILCV0OWEC",
    "eu-central-1": "Z1U9ULNL0V5AJ3", "eu-north-1": "Z3UWIKFBOOGXPP", "eu-south-1": "Z3BT4WSQ9TDYZV",
    "eu-west-1": "ZLY8HYME6SFDD", "eu-west-2": "ZJ5UAJN8Y3Z2Q", "eu-west-3": "Z3KY65QIEKYHQQ",
    "me-south-1": "Z20ZBPC0SS8806", "sa-east-1": "ZCMLWB8V5SYIT", "us-east-1": "Z1UJRXOUMOOFQ8",
    "us-east-2": "ZOJJZC49E0EPZ", "us-west-1": "Z2MUQ32089INYE", "us-west-2": "Z2OJLYMUO9EFXC",
}  # fmt: skip
_WEBSITE_ZONES: Mapping[str, str] = {
    "af-south-1": "Z83WF9RJE8B12", "ap-east-1": "ZNB98KWMFR0R6", "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP", "ap-northeast-3": "Z2YQB5RD63NC85", "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB", "ap-southeast-2": "Z1WCIGYICN2BYD", "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q", "eu-north-1": "Z3BAZG2TWCNX0D", "eu-south-1": "Z30OZKI7KPW7MI",
    "eu-west-1": "Z1BKCTXD74EZPE", "eu-west-2": "Z3GKZC51ZF0DB4", "eu-west-3": "Z3R1K369G5AVDG",
    "me-south-1": "Z1MPMWCPA7YB62", "sa-east-1": "Z7KQH4QJS55SO", "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX", "us-west-1": "Z2F56UZL2M1ACD", "us-west-2": "Z3BJ6K6RIION7M",
}  # fmt: skip


def is_balancer(name: str) -> bool:
    """Tell whether a name is one of a load balancer's, by its pattern."""
    return any(pattern.fullmatch(name) for pattern in (_BALANCER, _NETWORK_BALANCER))


def find_canonical_zone(name: str) -> str:
    """Return the hosted zone in which a name of AWS's own lies, by its pattern; `` for any other name."""
    for pattern, kind in ((_BALANCER, Kind.APPLICATION), (_NETWORK_BALANCER, Kind.NETWORK)):
        if found := pattern.fullmatch(name):
            return find_zone_id(kind, found["region"]) or ""
    for pattern, table in ((_API, _API_ZONES), (_WEBSITE, _WEBSITE_ZONES)):
        if found := pattern.fullmatch(name):
            return table.get(found["region"], "")
    return ""
