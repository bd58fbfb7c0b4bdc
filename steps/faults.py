"""When: something breaks, and later comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import parsers, when

if TYPE_CHECKING:
    from drdrill.drill import Drill


_LINK_FAULTS = {
    "delays": "delay", "delayed": "delay",
    "is throttled": "throttle", "was throttled": "throttle",
    "is cut": "cut", "was cut": "cut",
}  # fmt: skip


@when(parsers.re(r"the host of the database's (?P<role>primary|standby) loses power"))
def cut_the_power(drill: Drill, role: str) -> None:
    """Cut the power of the host of a database's member."""
    drill.inject("database_host_power_loss", role=role)


@when("the host has its power back")
def give_the_power_back(drill: Drill) -> None:
    """Give the host its power back."""
    drill.heal("database_host_power_loss")


@when("the host of the users database's primary loses power")
def cut_the_power_of_the_users_database(drill: Drill) -> None:
    """Cut the power of the host of the primary of the database that every service but payments' own needs."""
    drill.inject("database_host_power_loss", role="primary", store="users-database")


@when("the host of the users database has its power back")
def give_the_power_back_to_the_users_database(drill: Drill) -> None:
    """Give the host its power back."""
    drill.heal("database_host_power_loss", store="users-database")


@when("both hosts of the database lose power")
def cut_the_power_of_both(drill: Drill) -> None:
    """Cut the power of the hosts of primary and standby, one right after the other."""
    drill.inject("database_all_hosts_power_loss")


@when("both hosts have their power back")
def give_the_power_back_to_both(drill: Drill) -> None:
    """Give both hosts their power back."""
    drill.heal("database_all_hosts_power_loss")


@when(parsers.re(r"the link between the regions (?P<fault>delays|is throttled|is cut)"))
def slow_the_link(drill: Drill, fault: str) -> None:
    """Let a backlog grow on the link, for the fault that comes next."""
    drill.worsen(f"database_link_{_LINK_FAULTS[fault]}")


@when(
    parsers.re(r"the link between the regions is as usual after it (?P<fault>delayed|was throttled|was cut)")
)
def restore_the_link(drill: Drill, fault: str) -> None:
    """Have the link be as it usually is."""
    drill.heal(f"database_link_{_LINK_FAULTS[fault]}")


@when(parsers.re(r"the processes of the database's (?P<role>primary|standby) are killed"))
def kill_the_processes(drill: Drill, role: str) -> None:
    """Kill the processes of a database's member; its host lives on."""
    drill.inject("database_process_kill", role=role)


@when("nothing of the killed processes is left")
def leave_the_processes(drill: Drill) -> None:
    """Look that the host is whole; there is nothing to mend."""
    drill.heal("database_process_kill")


@when(parsers.re(r"the processes of the database's (?P<role>primary|standby) hang"))
def stop_the_processes(drill: Drill, role: str) -> None:
    """Stop the processes of a database's member, so that nobody answers."""
    drill.inject("database_process_hang", role=role)


@when("no process hangs any more")
def let_the_processes_go_on(drill: Drill) -> None:
    """Let processes go on that are still stopped."""
    drill.heal("database_process_hang")


@when(parsers.re(r"the zone of the database's (?P<role>primary|standby) is partitioned away"))
def cut_the_zone_off(drill: Drill, role: str) -> None:
    """Cut the zone of a database's member off; both sides live."""
    drill.inject("database_zone_partition", role=role)


@when("the zone is connected again")
def connect_the_zone(drill: Drill) -> None:
    """Connect the zone again."""
    drill.heal("database_zone_partition")


@when(parsers.re(r"the disk of the database's (?P<role>primary|standby) is full"))
def fill_the_disk(drill: Drill, role: str) -> None:
    """Fill the disk of a database's member."""
    drill.inject("database_disk_full", role=role)


@when("the disk has space again")
def empty_the_disk(drill: Drill) -> None:
    """Take away what fills the disk."""
    drill.heal("database_disk_full")


@when("a bad statement deletes half of the payments")
def delete_half(drill: Drill) -> None:
    """Delete half of the rows, chosen by the seed, and look what is left."""
    drill.inject("database_bad_delete", seed=str(drill.seed))
    drill.restoring.note_damage()


@when("the deleted payments are back")
def find_the_deleted(drill: Drill) -> None:
    """Look that the rows are there again where users find the database."""
    drill.heal("database_bad_delete")


@when("a bad statement drops the table of payments")
def drop_the_table(drill: Drill) -> None:
    """Drop the table that users write to, and look what is left."""
    drill.inject("database_drop_table")
    drill.restoring.note_damage()


@when("the table of payments is back")
def find_the_table(drill: Drill) -> None:
    """Look that the table's rows are there again where users find the database."""
    drill.heal("database_drop_table")


@when("the backup is damaged so that it restores, and lacks payments")
def damage_the_backup(drill: Drill) -> None:
    """Take rows out of the newest backup, chosen by the seed."""
    drill.inject("database_backup_damage", seed=str(drill.seed))


@when("the backup is as it was")
def mend_the_backup(drill: Drill) -> None:
    """Put the backup's own bytes back."""
    drill.heal("database_backup_damage")


@when("the primary region loses power")
def cut_the_power_of_the_region(drill: Drill) -> None:
    """Cut the power of everything in the primary region; its APIs answer nobody any more."""
    drill.inject_at("region_power_loss", region=drill.regions.primary)


@when("the primary region has its power back")
def give_the_power_back_to_the_region(drill: Drill) -> None:
    """Give the primary region its power back."""
    drill.regions.return_primary()


@when("the control planes of the primary region are lost")
def take_the_control_planes_away(drill: Drill) -> None:
    """Have the APIs of the primary region do nothing; what they made serves on."""
    drill.inject_at("region_control_plane_loss", region=drill.regions.primary)


@when("the control planes of the primary region are back")
def give_the_control_planes_back(drill: Drill) -> None:
    """Give the APIs of the primary region back."""
    drill.heal_at("region_control_plane_loss", region=drill.regions.primary)


@when("Route 53's control plane is lost")
def take_route53_away(drill: Drill) -> None:
    """Have Route 53's API do nothing, for the fault that comes next."""
    drill.worsen_at("route53_control_plane_loss")


@when("Route 53's control plane is back")
def give_route53_back(drill: Drill) -> None:
    """Give Route 53's API back."""
    drill.heal_at("route53_control_plane_loss")


@when("the zone of the recovery region has its power back")
def give_the_power_back_to_the_zone(drill: Drill) -> None:
    """Give the zone of the recovery region its power back that lost it."""
    drill.regions.return_zone()


@when("the primary region is isolated")
def isolate_the_region(drill: Drill) -> None:
    """Have nobody outside the primary region hear any of it, nor it anybody outside."""
    drill.inject_at("region_isolation", region=drill.regions.primary)


@when("the primary region is connected again")
def connect_the_region(drill: Drill) -> None:
    """Connect the primary region again."""
    drill.heal_at("region_isolation", region=drill.regions.primary)


@when("the primary region comes and goes")
def have_the_region_flap(drill: Drill) -> None:
    """Isolate the primary region and connect it, in turns."""
    drill.inject_at("region_flapping", region=drill.regions.primary)


@when("the primary region is there for good")
def have_the_region_stay(drill: Drill) -> None:
    """Connect the primary region for good."""
    drill.heal_at("region_flapping", region=drill.regions.primary)
