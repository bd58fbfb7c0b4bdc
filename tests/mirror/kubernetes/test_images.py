"""Images: what the catalogue says, what is pulled, and what is said of what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from drdrill.core.errors import InvalidInputError
from drdrill.mirror.kubernetes.runtime.catalogue import (
    Catalogue,
    ImageNotFoundError,
    PulledImages,
    split_name,
)
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mirror.kubernetes.node import Node


def _write(path: Path, text: str) -> Catalogue:
    path.write_text(text, encoding="utf-8")
    return Catalogue(path)


@pytest.mark.parametrize(
    ("name", "bare", "tag"),
    [
        ("api", "api", "latest"),
        ("shop/api:1.4", "shop/api", "1.4"),
        ("registry:5000/shop/api", "registry:5000/shop/api", "latest"),
        ("registry:5000/shop/api:2@sha256:ab", "registry:5000/shop/api", "2"),
    ],
)
def test_a_name_is_taken_apart_as_registries_do(name: str, bare: str, tag: str) -> None:
    """A port is no tag, and a digest is neither."""
    assert split_name(name) == (bare, tag)


def test_an_entry_with_a_tag_is_that_tag_alone(tmp_path: Path) -> None:
    """Where both stand, the exact one wins; where only tags stand, others are not found."""
    catalogue = _write(
        tmp_path / "images.yaml",
        "images: {api: {command: [any]}, 'api:2': {command: [two]}, 'db:1': {command: [one]}}",
    )
    assert catalogue.find("api:2").command == ["two"]
    assert catalogue.find("api:latest").command == ["any"]
    assert catalogue.find("db:1").command == ["one"]
    with pytest.raises(ImageNotFoundError, match=r"db:2.*images\.yaml \(near: db:1"):
        catalogue.find("db:2")


def test_a_folder_is_relative_to_the_catalogue(tmp_path: Path) -> None:
    """An image's working directory is found beside the catalogue, an absolute one where it is."""
    catalogue = _write(
        tmp_path / "images.yaml",
        "images: {a: {command: [x], working_directory: app}, b: {command: [x], working_directory: /srv}}",
    )
    assert catalogue.find("a").working_directory == str(tmp_path / "app")
    assert catalogue.find("b").working_directory == "/srv"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("images: {a: {command: []}}", "images.a.command"),
        ("images: {a: {command: [x], colour: red}}", "images.a.colour"),
        ("images: [", "images.yaml"),
        ("", "images.yaml"),
    ],
)
def test_a_mistake_in_the_catalogue_is_named(tmp_path: Path, text: str, words: str) -> None:
    """File and field are part of the sentence."""
    with pytest.raises(InvalidInputError, match=words):
        _write(tmp_path / "images.yaml", text).find("a")


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    """The file's name is part of the sentence."""
    with pytest.raises(InvalidInputError, match=r"nowhere\.yaml"):
        Catalogue(tmp_path / "nowhere.yaml").find("a")


def test_what_was_pulled_stays_as_it_was(tmp_path: Path) -> None:
    """A changed catalogue changes what is pulled next, not what a node has; a node's next runtime has it, too."""
    catalogue = _write(tmp_path / "images.yaml", "images: {a: {command: [old]}}")
    pulled = PulledImages(tmp_path / "pulled.json", catalogue)
    old = pulled.pull("a:latest")
    _write(tmp_path / "images.yaml", "images: {a: {command: [new]}}")
    again = PulledImages(tmp_path / "pulled.json", catalogue)
    found = again.find(old.id)
    assert found is not None
    assert found.command == ["old"]
    new = again.pull("a:latest")
    assert new.id != old.id
    again.remove(new.id)
    again.remove(new.id)
    assert again.find("a:latest") is None


def test_an_image_that_is_not_in_the_catalogue_is_refused_with_names_that_are_near(node: Node) -> None:
    """The pull fails with NOT_FOUND and a sentence for whoever reads the pod's events."""
    with pytest.raises(grpc.RpcError) as refusal:
        node.pull("shop/apii:1.0")
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    for words in ("shop/apii:1.0", str(node.catalogue), "near: shop/api"):
        assert words in refusal.value.details()
    with pytest.raises(grpc.RpcError) as refusal:
        node.create(node.run_pod("unpulled"), image="nobody")
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND


def test_images_are_listed_and_removed(node: Node) -> None:
    """An image has its names and its user; removing it twice succeeds."""
    node.write_catalogue({"shop/api": {"command": ["/bin/sleep", "9"], "user": 1000}})
    identity = node.pull("shop/api:3")

    def status() -> cri.Image:
        request = cri.ImageStatusRequest(image=cri.ImageSpec(image="shop/api:3"))
        image: cri.Image = node.ask("ImageStatus", request, service="ImageService").image
        return image

    assert status().id == identity
    assert status().uid.value == 1000
    listed = node.ask("ListImages", cri.ListImagesRequest(), service="ImageService").images
    assert ["shop/api:3"] in [list(image.repo_tags) for image in listed]
    for _ in range(2):
        request = cri.RemoveImageRequest(image=cri.ImageSpec(image=identity))
        node.ask("RemoveImage", request, service="ImageService")
    assert status().id == ""
    disks = node.ask("ImageFsInfo", cri.ImageFsInfoRequest(), service="ImageService").image_filesystems
    assert disks[0].fs_id.mountpoint == str(node.state)


def test_every_image_trusts_the_mirror_s_authorities(tmp_path: Path) -> None:
    """By what OpenSSL, Go and AWS's libraries read; an image that says something else of one is heard."""
    path = tmp_path / "images.yaml"
    path.write_text(
        "images: {api: {command: [api], environment: {SSL_CERT_FILE: /own.pem}}}", encoding="utf-8"
    )
    image = Catalogue(path, tmp_path / "authority.pem").find("api")
    authority = str(tmp_path / "authority.pem")
    assert image.environment == {"SSL_CERT_FILE": "/own.pem", "AWS_CA_BUNDLE": authority}
    assert image.files == [authority]
