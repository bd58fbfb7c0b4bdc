"""The program of those who make journeys: `python -m drdrill.load.journey_client CONFIG.json`.

All cohorts live in it, each with its own cache of names and its own connections. It ends by itself when the time is
over; SIGTERM, SIGINT, and the end of a pipe at standard input end it before: journeys under way are waited for. Prints
`ready` once the schedule is kept; remarks go to standard error.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from itertools import groupby
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS, Clock, SystemClock
from drdrill.load.dns import DnsServer
from drdrill.load.https import Browser
from drdrill.load.https_prober import CohortSession, HttpsProber
from drdrill.load.journey_config import JourneyConfig
from drdrill.load.page_reader import PageReader, split_page
from drdrill.load.process import listen_for_enough, run_program
from drdrill.load.resolver import Detour, StubResolver
from drdrill.load.traveller import Traveller
from drdrill.load.user import Remarks
from drdrill.record.ledger import LedgerWriter

if TYPE_CHECKING:
    from drdrill.load.journey_config import StepClient


async def travel(config: JourneyConfig, clock: Clock) -> None:
    """Be the users until their time is over, or a signal says that it is enough."""
    told = listen_for_enough()
    end_ns = config.start_ns + int(config.seconds * NANOSECONDS)
    remarks = Remarks(sys.stderr.write, clock)

    def enough() -> bool:
        return told.is_set() or clock.now_ns() >= end_ns

    async with AsyncExitStack() as stack:
        stack.callback(remarks.summarize)
        travellers = []
        for cohort, of_cohort in groupby(config.clients, lambda one: one.client.cohort):
            browser = await _open_browser(config, cohort, clock, stack)
            for name, of_journey in groupby(of_cohort, lambda one: one.journey):
                clients = list(of_journey)
                travellers.append(
                    _make(config, name, clients, browser, remarks=remarks, clock=clock, stack=stack)
                )
        probers = await _make_probers(config, remarks=remarks, clock=clock, stack=stack)
        reader = await _open_page(config, clock, stack)
        async with asyncio.TaskGroup() as group:
            schedules = [group.create_task(one.travel(group, enough)) for one in travellers]
            schedules += [group.create_task(one.ask(group, enough)) for one in probers]
            if reader is not None:
                schedules.append(group.create_task(reader.read(enough)))
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            while not enough():
                await _wait(told, (end_ns - clock.now_ns()) / NANOSECONDS)
            for task in schedules:
                task.cancel()


async def _wait(told: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await told.wait()
    except TimeoutError:
        pass


async def _make_probers(
    config: JourneyConfig, *, remarks: Remarks, clock: Clock, stack: AsyncExitStack
) -> list[HttpsProber]:
    """Return those who ask each service alone; a cohort's have one resolver and one session."""
    probes, probers = config.journeys.probes, []
    for cohort, of_cohort in groupby(config.probes, lambda one: one.client.cohort):
        assert probes is not None  # noqa: S101  (its clients were planned from them)
        browser = await _open_browser(config, cohort, clock, stack, fresh=True)
        session = CohortSession(config, probes, browser, user=config.journeys.users.draw(cohort))
        for client in of_cohort:
            ledger = LedgerWriter(config.ledger, client.client)
            stack.callback(ledger.close)
            probers.append(
                HttpsProber(
                    client,
                    ledger,
                    config=config,
                    probes=probes,
                    browser=browser,
                    session=session,
                    remarks=remarks,
                    clock=clock,
                )
            )
    return probers


async def _open_page(config: JourneyConfig, clock: Clock, stack: AsyncExitStack) -> PageReader | None:
    """Return who reads the status page; None: nobody does."""
    page = config.journeys.status_page
    if page is None or config.status_log is None:
        return None
    server, path = split_page(page)
    browser = await _open_browser(config, 0, clock, stack, fresh=True, server=server)
    return PageReader(browser, path, config.status_log, start_ns=config.start_ns, clock=clock)


async def _open_browser(
    config: JourneyConfig,
    cohort: int,
    clock: Clock,
    stack: AsyncExitStack,
    *,
    fresh: bool = False,
    server: str | None = None,
) -> Browser:
    stub = StubResolver(
        DnsServer(config.resolver, config.resolver_port),
        clock=clock,
        cohort=cohort,
        cohorts=config.journeys.cohorts,
    )
    stack.push_async_callback(stub.close)
    browser = Browser(
        server or config.journeys.public_name,
        stub if config.way is None else Detour(stub, config.way),
        timeout_seconds=config.timeout_seconds,
        authorities=config.authorities,
        fresh=fresh,
        own_balancer=config.way is not None,
    )
    return await stack.enter_async_context(browser)


def _make(
    config: JourneyConfig,
    name: str,
    clients: list[StepClient],
    browser: Browser,
    *,
    remarks: Remarks,
    clock: Clock,
    stack: AsyncExitStack,
) -> Traveller:
    ledgers = [LedgerWriter(config.ledger, one.client) for one in clients]
    for ledger in ledgers:
        stack.callback(ledger.close)
    journey = next(one for one in config.journeys.journeys if one.name == name)
    return Traveller(journey, clients, ledgers, config=config, browser=browser, remarks=remarks, clock=clock)


def main(arguments: list[str]) -> int:
    """Read the configuration and be its users; return the exit status."""
    return run_program(
        arguments,
        usage="python -m drdrill.load.journey_client CONFIG.json",
        parse=JourneyConfig.from_json,
        be=lambda config: travel(config, SystemClock()),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
