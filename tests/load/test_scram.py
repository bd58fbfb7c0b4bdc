from __future__ import annotations

from base64 import b64encode

import pytest

from drdrill.load.scram import Password, ScramError, ScramExchange

CHALLENGE = b"r=mine-theirs,s=" + b64encode(b"salt") + b",i=4096"


def begun() -> ScramExchange:
    """Return an exchange that sent its first message."""
    exchange = ScramExchange(Password("secret"), nonce=b"mine")
    assert exchange.first() == b"n,,n=,r=mine"
    return exchange


@pytest.mark.parametrize(
    "challenge",
    [
        CHALLENGE.replace(b"mine", b"other"),
        CHALLENGE.replace(b"i=4096", b"i=0"),
        CHALLENGE.replace(b"i=4096", b"i=x"),
        b"r=mine-theirs,i=4096",
        b"",
    ],
)
def test_a_challenge_that_does_not_answer_us_is_refused(challenge: bytes) -> None:
    """A malformed challenge, or one to another log-in, gets no proof of the password."""
    with pytest.raises(ScramError):
        begun().final(challenge)


def test_a_server_that_does_not_know_the_password_is_refused() -> None:
    """A wrong signature, none, or one before any challenge is not a server that we may believe."""
    exchange = begun()
    with pytest.raises(ScramError):
        exchange.verify(b"v=")
    assert exchange.final(CHALLENGE).startswith(b"c=biws,r=mine-theirs,p=")
    for last in (b"v=" + b64encode(bytes(32)), b"e=other-error", b""):
        with pytest.raises(ScramError):
            exchange.verify(last)


def test_keys_are_derived_once_for_a_salt() -> None:
    """The second log-in with a salt finds the keys of the first; another salt has others."""
    password = Password("secret")

    keys = password.keys(b"salt", 4096)

    assert password.keys(b"salt", 4096) is keys
    assert password.keys(b"pepper", 4096) != keys
    assert "secret" not in repr(password)
