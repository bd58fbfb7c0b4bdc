"""The verbs of the CRI image service: images are entries of the catalogue, pulled by taking note of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from drdrill.mirror.kubernetes.runtime.answers import describe_image
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.runtime.catalogue import PulledImages


class ImageService:
    """Answers the kubelet. A method is named like the call that it answers, which is how `server` finds it."""

    # ruff: noqa: N802, D102  (the names are CRI's, and api.proto describes each)

    def __init__(self, images: PulledImages, disk: Path, clock: Clock) -> None:
        self._images = images
        self._disk = disk
        self._clock = clock

    def ListImages(self, request: cri.ListImagesRequest) -> cri.ListImagesResponse:
        wanted = request.filter.image.image
        return cri.ListImagesResponse(images=[
            describe_image(image, names)
            for image, names in self._images.list_names().values()
            if not wanted or wanted in (image.id, *names)
        ])  # fmt: skip

    def ImageStatus(self, request: cri.ImageStatusRequest) -> cri.ImageStatusResponse:
        image = self._images.find(request.image.image)
        if image is None:
            return cri.ImageStatusResponse()
        _, names = self._images.list_names()[image.id]
        return cri.ImageStatusResponse(image=describe_image(image, names))

    def PullImage(self, request: cri.PullImageRequest) -> cri.PullImageResponse:
        return cri.PullImageResponse(image_ref=self._images.pull(request.image.image).id)

    def RemoveImage(self, request: cri.RemoveImageRequest) -> cri.RemoveImageResponse:
        self._images.remove(request.image.image)
        return cri.RemoveImageResponse()

    def ImageFsInfo(self, _: cri.ImageFsInfoRequest) -> cri.ImageFsInfoResponse:
        disk = os.statvfs(self._disk)
        usage = cri.FilesystemUsage(
            timestamp=int(self._clock.utc().timestamp() * 1e9),
            fs_id=cri.FilesystemIdentifier(mountpoint=str(self._disk)),
            used_bytes=cri.UInt64Value(value=(disk.f_blocks - disk.f_bfree) * disk.f_frsize),
            inodes_used=cri.UInt64Value(value=disk.f_files - disk.f_ffree),
        )
        return cri.ImageFsInfoResponse(image_filesystems=[usage], container_filesystems=[usage])
