"""What the experiments look at, by other means than those of the actions, one call into drdrill each."""

from __future__ import annotations

from typing import Any

from drdrill import faults


def observe_host_power_loss(store: str, within: str) -> dict[str, Any]:
    """Watch until the host is seen to be gone; fails when it is not within that time."""
    return faults.observe_effect("host_power_loss", store, within)


def observe_host_power_back(store: str, within: str) -> dict[str, Any]:
    """Watch until what ran on the host is whole again; fails when it is not within that time."""
    return faults.observe_healed("host_power_loss", store, within)


def observe_all_hosts_power_loss(store: str, within: str) -> dict[str, Any]:
    """Watch until all hosts are seen to be gone; fails when they are not within that time."""
    return faults.observe_effect("all_hosts_power_loss", store, within)


def observe_all_hosts_power_back(store: str, within: str) -> dict[str, Any]:
    """Watch until all hosts are there again; fails when they are not within that time."""
    return faults.observe_healed("all_hosts_power_loss", store, within)


def observe_process_gone(store: str, within: str) -> dict[str, Any]:
    """Watch until the host is seen to refuse connections; fails when it does not within that time."""
    return faults.observe_effect("process_kill", store, within)


def observe_host_answers(store: str, within: str) -> dict[str, Any]:
    """Watch until the host answers, be it by a refusal; fails when it does not within that time."""
    return faults.observe_healed("process_kill", store, within)


def observe_process_hang(store: str, within: str) -> dict[str, Any]:
    """Watch until the server is seen to take connections in and to say nothing; fails when it is not in time."""
    return faults.observe_effect("process_hang", store, within)


def observe_no_process_hangs(store: str, within: str) -> dict[str, Any]:
    """Watch until nothing hangs there any more; fails when something does after that time."""
    return faults.observe_healed("process_hang", store, within)


def observe_zone_partition(store: str, within: str) -> dict[str, Any]:
    """Watch until the host is heard in its zone and nowhere else; fails when it is not so within that time."""
    return faults.observe_effect("zone_partition", store, within)


def observe_zone_connected(store: str, within: str) -> dict[str, Any]:
    """Watch until the host is heard outside its zone again; fails when it is not within that time."""
    return faults.observe_healed("zone_partition", store, within)


def observe_disk_full(store: str, within: str) -> dict[str, Any]:
    """Watch until a program on the host cannot write a file; fails when it still can after that time."""
    return faults.observe_effect("disk_full", store, within)


def observe_disk_space(store: str, within: str) -> dict[str, Any]:
    """Watch until a program on the host can write a file again; fails when it cannot within that time."""
    return faults.observe_healed("disk_full", store, within)


def observe_link_delay(store: str, within: str) -> dict[str, Any]:
    """Watch until answers over the link come as late as it was delayed; fails when it is not so within that time."""
    return faults.observe_effect("link_delay", store, within)


def observe_link_delay_healed(store: str, within: str) -> dict[str, Any]:
    """Watch until answers over the link come as usual; fails when they do not within that time."""
    return faults.observe_healed("link_delay", store, within)


def observe_link_throttle(store: str, within: str) -> dict[str, Any]:
    """Watch until the stream arrives slowly while more is waiting; fails when it does not within that time."""
    return faults.observe_effect("link_throttle", store, within)


def observe_link_throttle_healed(store: str, within: str) -> dict[str, Any]:
    """Watch until answers over the link come as usual; fails when they do not within that time."""
    return faults.observe_healed("link_throttle", store, within)


def observe_link_cut(store: str, within: str) -> dict[str, Any]:
    """Watch until nothing is seen to come over the link; fails when it is not so within that time."""
    return faults.observe_effect("link_cut", store, within)


def observe_link_cut_healed(store: str, within: str) -> dict[str, Any]:
    """Watch until answers over the link come as usual; fails when they do not within that time."""
    return faults.observe_healed("link_cut", store, within)


def observe_rows_gone(store: str, within: str) -> dict[str, Any]:
    """Watch until none of the deleted rows is found by the database's name; fails when one is after that time."""
    return faults.observe_effect("bad_delete", store, within)


def observe_rows_back(store: str, within: str) -> dict[str, Any]:
    """Watch until the deleted rows are found by the database's name; fails when they are not within that time."""
    return faults.observe_healed("bad_delete", store, within)


def observe_table_gone(store: str, within: str) -> dict[str, Any]:
    """Watch until the table is not found by the database's name; fails when it is after that time."""
    return faults.observe_effect("drop_table", store, within)


def observe_table_back(store: str, within: str) -> dict[str, Any]:
    """Watch until the table's rows are found by the database's name; fails when they are not within that time."""
    return faults.observe_healed("drop_table", store, within)


def observe_backup_lacks_rows(store: str, within: str) -> dict[str, Any]:
    """Watch until the rows are not found in the backup's files; fails when one is after that time."""
    return faults.observe_effect("backup_damage", store, within)


def observe_backup_whole(store: str, within: str) -> dict[str, Any]:
    """Watch until the rows are found in the backup's files; fails when they are not within that time."""
    return faults.observe_healed("backup_damage", store, within)


def observe_zone_dark(zone: str, within: str) -> dict[str, Any]:
    """Watch until nothing in the zone says anything; fails when something does after that time."""
    return faults.observe_effect("zone_power_loss", zone, within)


def observe_zone_lit(zone: str, within: str) -> dict[str, Any]:
    """Watch until everything in the zone says something again; fails when it does not within that time."""
    return faults.observe_healed("zone_power_loss", zone, within)


def observe_region_dark(region: str, within: str) -> dict[str, Any]:
    """Watch until nothing in the region says anything, its APIs included; fails when something does after that time."""
    return faults.observe_effect("region_power_loss", region, within)


def observe_region_lit(region: str, within: str) -> dict[str, Any]:
    """Watch until everything in the region says something again; fails when it does not within that time."""
    return faults.observe_healed("region_power_loss", region, within)


def observe_region_control_plane_loss(region: str, within: str) -> dict[str, Any]:
    """Watch until the region's APIs do nothing and its databases answer; fails when it is not so within that time."""
    return faults.observe_effect("region_control_plane_loss", region, within)


def observe_region_control_plane_back(region: str, within: str) -> dict[str, Any]:
    """Watch until the region's APIs answer; fails when they do not within that time."""
    return faults.observe_healed("region_control_plane_loss", region, within)


def observe_route53_control_plane_loss(within: str) -> dict[str, Any]:
    """Watch until Route 53's API does nothing and names are answered; fails when it is not so within that time."""
    return faults.observe_effect("route53_control_plane_loss", "route53", within)


def observe_route53_control_plane_back(within: str) -> dict[str, Any]:
    """Watch until Route 53's API answers; fails when it does not within that time."""
    return faults.observe_healed("route53_control_plane_loss", "route53", within)


def observe_region_apart(region: str, within: str) -> dict[str, Any]:
    """Watch until the region is heard by itself only, and hears only itself; fails when it is not after that time."""
    return faults.observe_effect("region_isolation", region, within)


def observe_region_joined(region: str, within: str) -> dict[str, Any]:
    """Watch until everything in the region is heard outside; fails when it is not within that time."""
    return faults.observe_healed("region_isolation", region, within)


def observe_region_flapping(region: str, within: str) -> dict[str, Any]:
    """Watch until the region was seen away, there again and away again; fails when it was not within that time."""
    return faults.observe_effect("region_flapping", region, within)


def observe_region_steady(region: str, within: str) -> dict[str, Any]:
    """Watch until the region stays for longer than it ever did; fails when it did not within that time."""
    return faults.observe_healed("region_flapping", region, within)
