"""Look whether the recovery region has what services need to be let in: secrets, keys, the public name's certificate.

    python -m failover.check_secrets [--look]

Secrets there are replicas of those of the primary region, and cannot be changed. Without `--look` each is made a secret
of its own, so that a password can be changed there. Where that cannot be done it says so, and notes it for six hours,
which `--look` takes for an answer: services run all the same.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from failover._looking import conclude, make_parser
from failover._notes import open_notes
from failover._places import DATABASES, reach, read_places
from failover._telling import run, say

if TYPE_CHECKING:
    from failover._notes import Notes
    from failover._places import Places

SECRETS = tuple(f"meqenet/{name}-database" for name in DATABASES)
STAYS = "secrets-stay-replicas"  # the note that they cannot be made secrets of their own
_VALID = timedelta(hours=6)
KEYS = tuple(f"alias/meqenet-{name}" for name in ("databases", "objects", "secrets"))


def detach(secrets: Any, region: str, notes: Notes) -> None:
    """Make each secret one of its own, as far as that was not done before."""
    for name in SECRETS:
        source = secrets.describe_secret(SecretId=name).get("PrimaryRegion", region)
        if source == region:
            say("a secret of its own", secret=name)
            continue
        try:
            secrets.stop_replication_to_replica(SecretId=name)
        except ClientError as error:
            if not _cannot(error):
                raise
            notes.write(STAYS, error.response["Error"]["Code"])
            say("stays a replica: it can be read, and not changed", secret=name, source=source)
        else:
            say("made a secret of its own", secret=name, source=source)


def _cannot(error: ClientError) -> bool:
    """Tell whether whoever was asked does not know how: no refusal, and no failure that ends."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = error.response["Error"]["Code"]
    return code in ("NotImplemented", "UnknownOperationException") or status == HTTPStatus.NOT_IMPLEMENTED


def observe(secrets: Any, kms: Any, acm: Any, places: Places, notes: Notes) -> list[str]:
    """Return what services, users or operators would miss."""
    stay = notes.read(STAYS, valid=_VALID) is not None
    return [
        *_observe_secrets(secrets, "" if stay else places.recovery),
        *_observe_keys(kms),
        *_observe_certificate(acm, places.public_name),
    ]


def _observe_secrets(secrets: Any, region: str) -> list[str]:
    """Return which secrets cannot be read, or are another region's; `region` empty: whose they are is no matter."""
    missing = []
    for name in SECRETS:
        try:
            secrets.get_secret_value(SecretId=name)
        except ClientError as error:
            missing.append(f"The secret {name} cannot be read: {_words(error)}")
            continue
        source = secrets.describe_secret(SecretId=name).get("PrimaryRegion", region)
        if region and source != region:
            missing.append(f"The secret {name} is a replica of that in {source}, and cannot be changed here.")
    return missing


def _observe_keys(kms: Any) -> list[str]:
    missing = []
    for alias in KEYS:
        try:
            state = kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyState"]
        except ClientError as error:
            missing.append(f"The key {alias} cannot be found: {_words(error)}")
        else:
            if state != "Enabled":
                missing.append(f"The key {alias} is {state}: what it encrypted cannot be read.")
    return missing


def _observe_certificate(acm: Any, name: str) -> list[str]:
    pages = acm.get_paginator("list_certificates").paginate()
    found = [
        one["CertificateArn"]
        for page in pages
        for one in page["CertificateSummaryList"]
        if one["DomainName"] == name
    ]
    states = [acm.describe_certificate(CertificateArn=one)["Certificate"]["Status"] for one in found]
    if "ISSUED" in states:
        return []
    return [f"The certificate of {name} is {', '.join(states) or 'not there'}: users would be refused."]


def _words(error: ClientError) -> str:
    said = error.response["Error"]
    return f"{said['Code']}: {said.get('Message', '')}"


def main() -> None:
    """Make secrets independent and look, or only look."""
    asked = make_parser(
        "Look whether the recovery region has secrets, keys and the certificate."
    ).parse_args()
    places, secrets, notes = read_places(), reach("secretsmanager"), open_notes()
    if not asked.look:
        detach(secrets, places.recovery, notes)
    missing = observe(secrets, reach("kms"), reach("acm"), places, notes)
    conclude(missing, "secrets can be read, keys are enabled, the certificate is issued")


if __name__ == "__main__":
    run(main)
