"""The controller: target groups have the ready pods of the services that are bound to them, and nothing else."""

from __future__ import annotations

import pytest

from drdrill.mirror.load_balancer_controller.bindings import (
    Binding,
    BindingError,
    find_targets,
    read_binding,
)
from drdrill.mirror.load_balancer_controller.controller import Controller
from drdrill.mirror.load_balancer_controller.lease import Lease
from tests.mirror.load_balancer_controller.fakes import (
    SERVICE,
    Api,
    Groups,
    ManualClock,
    Objects,
    at,
    bind,
    slice_of,
)


class World:
    """A cluster with a service, and a region with a target group."""

    def __init__(self, groups: Groups) -> None:
        clock = ManualClock()
        self.groups = groups
        self.bindings, self.slices, self.services = Objects(bind()), Objects(), Objects(SERVICE)
        self.controller = Controller(
            bindings=self.bindings,
            slices=self.slices,
            services=self.services,
            lease=Lease(Api(), "controller", "one", clock),
            groups=groups,
            clock=clock,
        )


def test_ready_pods_are_registered_and_others_let_go() -> None:
    """Over all slices of the service; a pod whose readiness nobody knows counts, as Kubernetes says of it."""
    world = World(Groups(api=at("10.0.0.9")))
    world.slices.put(
        slice_of(("10.0.0.1", True), ("10.0.0.2", False)), slice_of(("10.0.0.3", None), name="api-2")
    )
    world.slices.put(slice_of(("10.0.0.4", True), name="other-1", service="other"))
    assert world.controller.work()
    assert world.groups.groups == {"api": at("10.0.0.1", "10.0.0.3")}
    world.slices.put(slice_of(("10.0.0.2", True)))
    assert world.controller.work()
    assert world.groups.groups == {"api": at("10.0.0.2", "10.0.0.3")}


def test_nothing_is_let_go_before_the_cluster_was_read() -> None:
    """A controller that has just begun knows nothing: it must not take the targets for superfluous."""
    world = World(Groups(api=at("10.0.0.1")))
    world.slices.known = None
    assert not world.controller.work()
    assert world.groups.groups == {"api": at("10.0.0.1")}


def test_a_region_without_its_api_is_tried_again() -> None:
    """Nothing is changed, and everything is made up for when it answers; other groups do not wait for one."""
    world = World(Groups(web=set(), api=set()))
    world.slices.put(slice_of(("10.0.0.1", True)))
    world.groups.lost = True
    assert not world.controller.work()
    world.groups.lost = False
    world.bindings.put(bind("gone"), bind("web"))
    assert not world.controller.work()
    assert world.groups.groups == {"web": at("10.0.0.1"), "api": at("10.0.0.1")}


def test_a_binding_that_is_taken_away_takes_its_targets_along() -> None:
    """Its group is emptied, once, also when the region's API answers only later."""
    world = World(Groups(api=set()))
    world.slices.put(slice_of(("10.0.0.1", True)))
    assert world.controller.work()
    world.bindings.known, world.groups.lost = {}, True
    assert not world.controller.work()
    world.groups.lost = False
    assert world.controller.work()
    assert world.groups.groups == {"api": set()}
    world.groups.register("api", at("10.0.0.7"))
    assert world.controller.work()
    assert world.groups.groups == {"api": at("10.0.0.7")}


@pytest.mark.parametrize("port", ["http", 80])
def test_a_port_by_its_name_or_number(port: str | int) -> None:
    """The service's port leads to that of the pods."""
    wanted = find_targets(
        Binding("api", "shop", "api", port), {("shop", "api"): SERVICE}, [slice_of(("10.0.0.1", True))]
    )
    assert wanted == at("10.0.0.1")


def test_bindings_that_mean_nothing() -> None:
    """No group, no service, no such port: each in words."""
    nameless = bind()
    del nameless["spec"]["targetGroupName"]
    with pytest.raises(BindingError, match="no target group"):
        read_binding(nameless)
    with pytest.raises(BindingError, match="no service shop/api"):
        find_targets(read_binding(bind()), {}, [])
    with pytest.raises(BindingError, match="no port https"):
        find_targets(read_binding(bind(port="https")), {("shop", "api"): SERVICE}, [])
