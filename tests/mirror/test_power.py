"""The power of any host is cut and given back over the control socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.errors import UsageError
from drdrill.mirror.power import PowerOperations

if TYPE_CHECKING:
    from drdrill.mirror.network import Network


@dataclass
class _Host:
    name: str
    powered: bool = True
    ended: bool = False

    def await_end(self) -> None:
        self.ended = True


@dataclass
class _Network:
    there: dict[str, _Host] = field(default_factory=lambda: {"ci": _Host("ci"), "node": _Host("node")})

    def hosts(self) -> tuple[_Host, ...]:
        return tuple(self.there.values())

    def find_host(self, name: str) -> _Host:
        return self.there[name]

    def power_off(self, host: _Host) -> None:
        host.powered = False

    def power_on(self, host: _Host) -> None:
        host.powered = True


def test_power_is_cut_and_given_back() -> None:
    """The answer to a cut comes when nothing runs there any more; both may be asked for twice."""
    network = _Network()
    table = PowerOperations(cast("Network", network)).table()
    for _ in range(2):
        assert table["power_off"](host="ci") == {"host": "ci", "powered": False}
    assert network.there["ci"].ended
    assert network.there["node"].powered
    for _ in range(2):
        assert table["power_on"](host="ci") == {"host": "ci", "powered": True}


def test_a_host_that_is_none() -> None:
    """The words say which there are, or which is near."""
    table = PowerOperations(cast("Network", _Network())).table()
    with pytest.raises(UsageError, match=r"there is no host `nodes` in this mirror\. Did you mean `node`"):
        table["power_off"](host="nodes")
