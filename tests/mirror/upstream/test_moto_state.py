"""What moto knows in one process is what it knows in another that reads it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN = """
import sys, json, boto3
from pathlib import Path
from moto import mock_aws
from drdrill.mirror.upstream.moto_state import read_state, write_state
path = Path(sys.argv[1])
mock_aws().start()
def client(service, region="eu-west-1"):
    return boto3.client(service, region, aws_access_key_id="a", aws_secret_access_key="b")
"""
_MAKE = """
s3, kms = client("s3"), client("kms")
s3.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
version = s3.put_object(Bucket="documents", Key="a", Body=b"content" * 100000)["VersionId"]
key = kms.create_key()["KeyMetadata"]["KeyId"]
kms.create_alias(AliasName="alias/databases", TargetKeyId=key)
client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
client("secretsmanager").create_secret(Name="database", SecretString="s")
client("ssm", "eu-central-1").put_parameter(Name="/limits", Value="9", Type="String")
client("sqs").create_queue(QueueName="jobs")
client("sns").create_topic(Name="news")
client("acm").request_certificate(DomainName="example.org")
vpc = client("ec2").create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
client("iam").create_role(RoleName="nodes", AssumeRolePolicyDocument="{}")
write_state(path)
print(json.dumps([version, key, vpc]))
"""
_LOOK = """
read_state(path)
version, key, vpc = json.loads(sys.argv[2])
s3 = client("s3")
assert s3.get_object(Bucket="documents", Key="a", VersionId=version)["Body"].read() == b"content" * 100000
assert s3.get_bucket_versioning(Bucket="documents")["Status"] == "Enabled"
assert client("kms").describe_key(KeyId="alias/databases")["KeyMetadata"]["KeyId"] == key
assert client("secretsmanager").get_secret_value(SecretId="database")["SecretString"] == "s"
assert client("ssm", "eu-central-1").get_parameter(Name="/limits")["Parameter"]["Value"] == "9"
assert len(client("sqs").list_queues()["QueueUrls"]) == len(client("sns").list_topics()["Topics"]) == 1
assert len(client("acm").list_certificates()["CertificateSummaryList"]) == 1
assert client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"] == "10.20.0.0/16"
assert client("iam").get_role(RoleName="nodes")["Role"]["RoleName"] == "nodes"
try:
    s3.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
except s3.exceptions.BucketAlreadyOwnedByYou:
    print("whole")
"""


def _run(script: str, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", _BEGIN + script, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_another_process_knows_it_all(tmp_path: Path) -> None:
    """Objects with their versions, keys, aliases, secrets, networks: with the same identifiers, and names are taken."""
    made = _run(_MAKE, str(tmp_path / "state"))
    assert _run(_LOOK, str(tmp_path / "state"), made) == "whole"
