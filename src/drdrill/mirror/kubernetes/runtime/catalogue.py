"""The catalogue: which local program an image name stands for. A YAML or JSON file that people write.

::

    images:
      shop/api:                              # any tag; `shop/api:1.4` is that tag alone
        command: [python, -m, http.server]   # what the image starts; a pod's `command` replaces it
        args: ["8080"]                       # and its arguments; a pod's `args` replace them
        working_directory: api               # relative to the catalogue's folder
        environment: {LANG: C.UTF-8}
        user: 1000                           # 0 where nothing is said
        files: [/opt/shop]                   # shown although a container's own /tmp or /run would hide them
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import threading
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drdrill.core.errors import DrdrillError, InvalidInputError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

# What OpenSSL and Go read, and AWS's libraries, which bring their own list otherwise.
_TRUST = ("SSL_CERT_FILE", "AWS_CA_BUNDLE")


class ImageNotFoundError(DrdrillError):
    """No entry of the catalogue fits an image name."""

    definite = True


class Image(BaseModel):
    """A local program that an image name stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[str] = Field(min_length=1)
    args: list[str] = []
    working_directory: str = "/"
    environment: dict[str, str] = {}
    user: int = Field(default=0, ge=0)
    files: list[str] = []

    @property
    def id(self) -> str:
        """Its identity: the digest of all that it says."""
        return "sha256:" + hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    images: dict[str, Image]


class Catalogue:
    """The catalogue file. It is read at each question: people change it while pods wait for an image.

    `authorities` is a file of certificates that every image trusts, as images trust those that sign AWS's.
    """

    def __init__(self, path: Path, authorities: Path | None = None) -> None:
        self.path = path
        self._authorities = authorities

    def find(self, name: str) -> Image:
        """Return the program that an image name stands for.

        Raises `ImageNotFoundError` with names that are near, `InvalidInputError` where the file has mistakes.
        """
        images = self.read()
        bare, _tag = split_name(name)
        image = images.get(name) or images.get(bare)
        if image is None:
            near = difflib.get_close_matches(name, images, n=3, cutoff=0.5) or [
                key for key in images if split_name(key)[0] == bare
            ]
            hint = f"near: {', '.join(near)}" if near else f"it has: {', '.join(sorted(images)) or 'nothing'}"
            raise ImageNotFoundError(
                f"the image `{name}` is not in the catalogue {self.path} ({hint}). "
                "An entry there says which local program it stands for."
            )
        folder = os.path.normpath(self.path.parent / image.working_directory)
        trusts: dict[str, object] = {}
        if self._authorities is not None:
            file = str(self._authorities)
            trusts = {
                "environment": {**dict.fromkeys(_TRUST, file), **image.environment},
                "files": [*image.files, file],
            }
        return image.model_copy(update={"working_directory": folder, **trusts})

    def read(self) -> dict[str, Image]:
        """Return all entries by name; raises `InvalidInputError`."""
        try:
            return _File.model_validate(yaml.safe_load(self.path.read_text(encoding="utf-8"))).images
        except (OSError, yaml.YAMLError) as error:
            raise self._refuse([("", str(error))]) from error
        except ValidationError as error:
            raise self._refuse(
                [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
            ) from error

    def _refuse(self, mistakes: list[tuple[str, str]]) -> InvalidInputError:
        return InvalidInputError([Mistake(str(self.path), 0, field, problem) for field, problem in mistakes])


def split_name(name: str) -> tuple[str, str]:
    """Return an image name without its tag or digest, and the tag (`latest` where none is said)."""
    bare = name.partition("@")[0]
    head, colon, tail = bare.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (bare, "latest")


class PulledImages:
    """The images that a node has pulled: as they were in the catalogue then. On the node's disk; thread-safe."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.catalogue = catalogue
        noted = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._images = {name: Image.model_validate(image) for name, image in noted.items()}

    def pull(self, name: str) -> Image:
        """Take an image as the catalogue has it now; raises as `Catalogue.find`."""
        image = self.catalogue.find(name)
        with self._lock:
            self._images = {**self._images, name: image}
            self._note()
        return image

    def remove(self, name_or_id: str) -> None:
        """Forget an image. Harmless when it is not there."""
        with self._lock:
            self._images = {
                name: image for name, image in self._images.items() if name_or_id not in (name, image.id)
            }
            self._note()

    def find(self, name_or_id: str) -> Image | None:
        """Return a pulled image by its name or identity."""
        images = self._images
        by_id = (image for image in images.values() if image.id == name_or_id)
        return images.get(name_or_id) or next(by_id, None)

    def list_names(self) -> dict[str, tuple[Image, tuple[str, ...]]]:
        """Return all images by identity, each with its names."""
        images = self._images
        return {
            image.id: (image, tuple(name for name, other in images.items() if other.id == image.id))
            for image in images.values()
        }

    def _note(self) -> None:
        content = {name: image.model_dump(mode="json") for name, image in self._images.items()}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(content), encoding="utf-8")
        new.replace(self._path)
