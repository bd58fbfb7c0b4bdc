"""What the experiments do to the system, one call into drdrill each."""

from __future__ import annotations

from typing import Any

from drdrill import faults


def inject_host_power_loss(store: str, role: str) -> dict[str, Any]:
    """Cut the power of the host on which the member of `store` in that role runs."""
    return faults.inject("host_power_loss", store, role)


def heal_host_power_loss(store: str) -> dict[str, Any]:
    """Give the host its power back."""
    return faults.heal("host_power_loss", store)


def inject_all_hosts_power_loss(store: str) -> dict[str, Any]:
    """Cut the power of the hosts of all members of `store`."""
    return faults.inject("all_hosts_power_loss", store, "primary")


def heal_all_hosts_power_loss(store: str) -> dict[str, Any]:
    """Give all hosts their power back."""
    return faults.heal("all_hosts_power_loss", store)


def inject_process_kill(store: str, role: str) -> dict[str, Any]:
    """Kill the processes of the member of `store` in that role."""
    return faults.inject("process_kill", store, role)


def heal_process_kill(store: str) -> dict[str, Any]:
    """Mend nothing: AWS starts the server again, or replaces it."""
    return faults.heal("process_kill", store)


def inject_process_hang(store: str, role: str) -> dict[str, Any]:
    """Stop the processes of the member of `store` in that role, so that it hangs."""
    return faults.inject("process_hang", store, role)


def heal_process_hang(store: str) -> dict[str, Any]:
    """Let processes go on that are still stopped."""
    return faults.heal("process_hang", store)


def inject_zone_partition(store: str, role: str) -> dict[str, Any]:
    """Cut the zone off from all others in which the member of `store` in that role runs."""
    return faults.inject("zone_partition", store, role)


def heal_zone_partition(store: str) -> dict[str, Any]:
    """Connect the zone again."""
    return faults.heal("zone_partition", store)


def inject_disk_full(store: str, role: str) -> dict[str, Any]:
    """Fill the disk of the member of `store` in that role."""
    return faults.inject("disk_full", store, role)


def heal_disk_full(store: str) -> dict[str, Any]:
    """Take away what fills the disk."""
    return faults.heal("disk_full", store)


def inject_link_delay(store: str, amount: str) -> dict[str, Any]:
    """Have what `store` streams to another region arrive late by `amount`, such as `3 s`."""
    return faults.inject("link_delay", store, "replica", amount)


def heal_link_delay(store: str) -> dict[str, Any]:
    """Have the links of `store` to other regions be as usual."""
    return faults.heal("link_delay", store)


def inject_link_throttle(store: str, amount: str) -> dict[str, Any]:
    """Have only `amount`, such as `32 KiB`, a second of what `store` streams reach another region."""
    return faults.inject("link_throttle", store, "replica", amount)


def heal_link_throttle(store: str) -> dict[str, Any]:
    """Have the links of `store` to other regions be as usual."""
    return faults.heal("link_throttle", store)


def inject_link_cut(store: str) -> dict[str, Any]:
    """Have nothing of what `store` streams reach another region."""
    return faults.inject("link_cut", store, "replica")


def heal_link_cut(store: str) -> dict[str, Any]:
    """Have the links of `store` to other regions be as usual."""
    return faults.heal("link_cut", store)


def inject_bad_delete(store: str, role: str, statement: str, doomed: str) -> dict[str, Any]:
    """Run a statement on `store` that deletes the rows whose keys the query `doomed` returns."""
    return faults.inject("bad_delete", store, role, statement=statement, doomed=doomed)


def heal_bad_delete(store: str) -> dict[str, Any]:
    """Mend nothing: deleted rows come back by a restore."""
    return faults.heal("bad_delete", store)


def inject_drop_table(store: str, role: str, statement: str, doomed: str) -> dict[str, Any]:
    """Run a statement on `store` that drops the table whose rows' keys the query `doomed` returns."""
    return faults.inject("drop_table", store, role, statement=statement, doomed=doomed)


def heal_drop_table(store: str) -> dict[str, Any]:
    """Mend nothing: a dropped table comes back by a restore."""
    return faults.heal("drop_table", store)


def inject_backup_damage(store: str, role: str, statement: str, doomed: str) -> dict[str, Any]:
    """Take the rows out of the newest backup of `store` whose keys the query `doomed` returns."""
    return faults.inject("backup_damage", store, role, statement=statement, doomed=doomed)


def heal_backup_damage(store: str) -> dict[str, Any]:
    """Put the backup's own bytes back."""
    return faults.heal("backup_damage", store)


def inject_zone_power_loss(zone: str) -> dict[str, Any]:
    """Cut the power of a whole availability zone."""
    return faults.inject("zone_power_loss", zone, "primary")


def heal_zone_power_loss(zone: str) -> dict[str, Any]:
    """Give the zone its power back."""
    return faults.heal("zone_power_loss", zone)


def inject_region_power_loss(region: str) -> dict[str, Any]:
    """Cut the power of a whole region; its APIs answer nobody any more."""
    return faults.inject("region_power_loss", region, "primary")


def heal_region_power_loss(region: str) -> dict[str, Any]:
    """Give the region its power back."""
    return faults.heal("region_power_loss", region)


def inject_region_control_plane_loss(region: str, amount: str) -> dict[str, Any]:
    """Take the control planes of a region away: `amount` is `refused`, `throttled` or `silent`."""
    return faults.inject("region_control_plane_loss", region, "primary", amount)


def heal_region_control_plane_loss(region: str) -> dict[str, Any]:
    """Give the region's control planes back."""
    return faults.heal("region_control_plane_loss", region)


def inject_route53_control_plane_loss(amount: str) -> dict[str, Any]:
    """Take Route 53's control plane away: `amount` is `refused`, `throttled` or `silent`."""
    return faults.inject("route53_control_plane_loss", "route53", "primary", amount)


def heal_route53_control_plane_loss() -> dict[str, Any]:
    """Give Route 53's control plane back."""
    return faults.heal("route53_control_plane_loss", "route53")


def inject_region_isolation(region: str) -> dict[str, Any]:
    """Have nobody outside a region hear any of it, nor it anybody outside."""
    return faults.inject("region_isolation", region, "primary")


def heal_region_isolation(region: str) -> dict[str, Any]:
    """Connect the region again."""
    return faults.heal("region_isolation", region)


def inject_region_flapping(region: str, away: str, there: str) -> dict[str, Any]:
    """Have a region be isolated for `away`, such as `20 s`, connected for `there`, and so on."""
    return faults.inject("region_flapping", region, "primary", f"{away} away, {there} there")


def heal_region_flapping(region: str) -> dict[str, Any]:
    """Connect the region for good."""
    return faults.heal("region_flapping", region)
