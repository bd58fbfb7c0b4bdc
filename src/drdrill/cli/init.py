"""`drdrill init DIR`: a drill repository for somebody's own system, or the whole reference company as an example."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    name="init",
    epilog="""\b
Examples:
  drdrill init shop --name "Corner Shop" --service orders
  drdrill init shop --primary-region us-east-2 --recovery-region us-west-2
  drdrill init look --example reference

\b
Exit status: 0; 2 wrong usage, nothing was written; 5 the disk or the machine is broken, nothing is left.""",
)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", metavar="COMPANY", help="Whose system is drilled (default: the folder's name).")
@click.option("--service", default="orders", show_default=True, help="Your most critical service.")
@click.option("--primary-region", default="us-east-1", show_default=True, help="Where it runs.")
@click.option("--recovery-region", default="us-west-2", show_default=True, help="Where it would go.")
@click.option("--currency", default="USD", show_default=True, help="What a lost write is counted in.")
@click.option(
    "--example",
    type=click.Choice(["reference"]),
    help="Not your own system but the whole reference company: services, Terraform, manifests, all drills.",
)
def command(
    *,
    directory: Path,
    name: str | None,
    service: str,
    primary_region: str,
    recovery_region: str,
    currency: str,
    example: str | None,
) -> None:
    """Write a drill repository into DIR, which is to be new or empty.

    It passes `drdrill plan check` and drills at once: a service with its database, in a mirror. Then make it yours.
    """
    from drdrill.cli.starting.names import Names
    from drdrill.cli.starting.repository import write_repository

    names = None
    if example is None:
        names = Names(
            company=directory.absolute().name if name is None else name,
            service=service,
            primary_region=primary_region,
            recovery_region=recovery_region,
            currency=currency,
        )
        names.check()
    write_repository(directory.absolute(), names)
    click.echo(f"{directory} is a drill repository; its README.md says what is in it. Next:")
    click.echo(
        f"  cd {directory}\n  drdrill plan check\n  drdrill run database --scenario primary_host_loses_power"
    )
