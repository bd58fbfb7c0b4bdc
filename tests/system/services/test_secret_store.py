"""How a service reads the password of its database: from AWS's own interfaces, as moto has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest

from meqenet.password import Password
from meqenet.secret_store import SecretError, read_secret
from meqenet.settings import DatabaseSettings
from tests.system.services.conftest import HOME

if TYPE_CHECKING:
    from pathlib import Path

REGION = "eu-west-1"
SECRET = "meqenet/of-a-test"  # noqa: S105 (its name)
_KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody"}
_WHAT_SERVES = """
import sys
import meqenet.auth, meqenet.users, meqenet.payments, meqenet.notifications, meqenet.secret_store
print([name for name in ("boto3", "botocore.session", "botocore.client", "alembic", "sqlalchemy", "rich")
       if name in sys.modules])
"""


@pytest.fixture(scope="module")
def told(objects_url: str) -> dict[str, str]:
    """Return what a program is told that may read the secret of this test."""
    client = boto3.Session("nobody", "nobody").client(
        "secretsmanager", endpoint_url=objects_url, region_name=REGION
    )
    client.create_secret(Name=SECRET, SecretString=json.dumps({"password": "open sesame"}))
    return {"AWS_ENDPOINT_URL": objects_url}


def test_by_keys(told: dict[str, str]) -> None:
    """Who has keys reads the secret's text with them."""
    assert json.loads(read_secret(SECRET, REGION, {**told, **_KEYS})) == {"password": "open sesame"}


def test_in_the_role_of_a_pod(told: dict[str, str], tmp_path: Path) -> None:
    """Who has a token and a role is given keys by STS, and reads the secret's text with these."""
    token = tmp_path / "token"
    token.write_text("a.b.c\n", encoding="ascii")
    role = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    assert json.loads(read_secret(SECRET, REGION, {**told, **role})) == {"password": "open sesame"}


def test_what_is_refused(told: dict[str, str]) -> None:
    """A secret that is not there, and a place where nobody is, are told in words; so is a program without keys."""
    with pytest.raises(SecretError, match=r": 40[04] .*ResourceNotFoundException"):
        read_secret("another", REGION, {**told, **_KEYS})
    with pytest.raises(SecretError, match="Connection refused"):
        read_secret(SECRET, REGION, {**_KEYS, "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1"})
    with pytest.raises(SecretError, match="there are no credentials"):
        read_secret(SECRET, REGION, told)


def test_a_password_in_a_file(tmp_path: Path) -> None:
    """A password in a file is the file's text without the line's end."""
    file = tmp_path / "password"
    file.write_text("open sesame\n", encoding="ascii")
    settings = DatabaseSettings("here", "users", "users_app", password_file=str(file))
    assert Password(settings).read() == "open sesame"


def test_what_serves_is_light() -> None:
    """A process that serves has none of what only migrations and S3 need: each would cost every pod 10 MB and more."""
    done = subprocess.run(
        [sys.executable, "-c", _WHAT_SERVES], env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
