"""What users were told where they were not served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.measure.projection import Projected
from drdrill.measure.remarks import find_unserved, read_remarks
from drdrill.measure.verdict import Measured, Objective, ObjectiveKind

if TYPE_CHECKING:
    from pathlib import Path

LOG = """\
ready
1000 probe-orders-0: UNKNOWN: no answer in time
30 times: probe-orders-0: UNKNOWN: no answer in time
40 times: probe-orders-1: UNKNOWN: 503 {"error":"read-only"}
20 times: probe-orders-7: UNKNOWN: 503 {"error":"read-only"}
5 times: probe-orders-7: NOT_SENT: nobody could log in: 500
90 times: probe-price-list-2: UNKNOWN: no answer in time
7 times: buy: pay: UNKNOWN: no answer in time
"""


def _rto(service: str, value_ns: int | None = None, kind: str = "rto") -> Objective:
    measured, projected = Measured(value_ns, None), Projected(None, 95, "")
    met = Verdict.MET
    return Objective(ObjectiveKind(kind), service, None, 1, measured, met, projected, met)


def test_the_words_that_users_heard_most(tmp_path: Path) -> None:
    """Cohorts are added up, the two most frequent remarks are told, and only of services that are asked for."""
    log = tmp_path / "client-users.log"
    log.write_text(LOG, encoding="utf-8")
    assert set(read_remarks(log)) == {"orders", "price-list"}
    orders, prices = find_unserved(
        log,
        [_rto("orders"), _rto("Price list"), _rto("mail"), _rto("price-list", 5), _rto("orders", kind="rpo")],
    )
    assert orders.code == "not_served"
    assert orders.text.endswith('`503 {"error":"read-only"}` (60 times); `no answer in time` (30 times).')
    assert "users of Price list" in prices.text


def test_without_a_log(tmp_path: Path) -> None:
    """Drills whose users write to the store themselves have none."""
    assert list(find_unserved(tmp_path / "none.log", [_rto("orders")])) == []
