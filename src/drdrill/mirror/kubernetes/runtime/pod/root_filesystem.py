"""The file system of a container: the machine's own, copied on write, under the kubelet's mounts.

There are no image layers: an image is a local program. Each top folder of the machine becomes an overlay whose upper
layer is a tmpfs that dies with the container's mount namespace, so a container writes where it likes and nothing of it
reaches the machine. `/` as a whole cannot be an overlay in a user namespace (its mounts are locked together), its
folders can. Where the kernel refuses an overlay, the folder is shown read-only.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from drdrill.mirror import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.mirror.kubernetes.runtime.pod.launch import Bind, Launch

_OWN = ("proc", "sys", "dev", "tmp", "run", "boot", "lost+found")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_NOT_SHOWN = ("tmpfs", "proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2", "overlay")
_LAYER_SIZE = "256m"  # of what a container writes outside its volumes; pages are taken only when written
_TMP_SIZE = "256m"


def enter_root(launch: Launch) -> None:
    """Make this process's root that of the container. It is in a new mount namespace, and will be in no other."""
    sources = [os.open(bind.source, os.O_PATH) for bind in launch.binds]  # as the node names them
    shown = list(_list_inner_mounts())
    shown_sources = [os.open(path, os.O_PATH) for path in shown]
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    root = f"{launch.directory}/root"
    os.makedirs(root, exist_ok=True)  # noqa: PTH103
    kernel.mount("root", root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=1m")
    folders = _mount_folders(root)
    _mount_own_folders(root)
    old = os.open("/", os.O_PATH | os.O_DIRECTORY)
    os.chdir(root)
    kernel.pivot_root_here()
    os.chdir("/")
    for path, source in zip(shown, shown_sources, strict=True):
        if os.path.exists(path):  # noqa: PTH110
            _bind(source, path, read_only=True)
    for bind, source in zip(launch.binds, sources, strict=True):
        _show(bind, source)
    for folder in folders if launch.read_only_root else ():
        kernel.make_read_only(folder)
    os.fchdir(old)
    kernel.detach_mount(".")
    os.chdir("/")
    for descriptor in (*sources, *shown_sources, old):
        os.close(descriptor)
    if launch.read_only_root:
        kernel.make_read_only("/")


def _mount_folders(root: str) -> list[str]:
    layers = f"{root}/.layers"
    os.mkdir(layers)  # noqa: PTH102
    kernel.mount(
        "layers", layers, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=755,size={_LAYER_SIZE}"
    )
    folders = []
    with os.scandir("/") as entries:
        for entry in entries:
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), f"{root}/{entry.name}")  # noqa: PTH115, PTH211
            elif entry.is_dir() and entry.name not in _OWN:
                _mount_folder(entry.path, f"{root}/{entry.name}", f"{layers}/{entry.name}")
                folders.append(entry.path)
    kernel.detach_mount(layers)
    os.rmdir(layers)  # noqa: PTH106
    return folders


def _mount_folder(source: str, target: str, layer: str) -> None:
    upper, work = f"{layer}-upper", f"{layer}-work"
    for folder in (target, upper, work):
        os.mkdir(folder)  # noqa: PTH102
    found = os.stat(source)  # noqa: PTH116
    os.chmod(upper, found.st_mode & 0o7777)  # noqa: PTH101
    try:
        kernel.mount(
            "overlay", target, "overlay", options=f"lowerdir={source},upperdir={upper},workdir={work}"
        )
    except OSError:
        kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
        kernel.make_read_only(target)


def _mount_own_folders(root: str) -> None:
    for name, mode, size in (("tmp", "1777", _TMP_SIZE), ("run", "755", "64m"), ("dev", "755", "1m")):
        os.mkdir(f"{root}/{name}")  # noqa: PTH102
        kernel.mount(name, f"{root}/{name}", "tmpfs", kernel.MS_NOSUID, f"mode={mode},size={size}")
    for name in ("proc", "sys"):
        os.mkdir(f"{root}/{name}")  # noqa: PTH102
    # While the node's own /proc can still be seen: the kernel gives a user namespace no other view of it afterwards.
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", f"{root}/proc", "proc", quiet)
    kernel.mount("/sys", f"{root}/sys", flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.make_read_only(f"{root}/sys")
    device_folder = f"{root}/dev"
    for name in _DEVICES:
        os.close(os.open(f"{device_folder}/{name}", os.O_CREAT | os.O_WRONLY))
        kernel.mount(f"/dev/{name}", f"{device_folder}/{name}", flags=kernel.MS_BIND)
    os.mkdir(f"{device_folder}/pts")  # noqa: PTH102
    os.mkdir(f"{device_folder}/shm")  # noqa: PTH102
    kernel.mount(
        "devpts", f"{device_folder}/pts", "devpts", quiet & ~kernel.MS_NODEV, "newinstance,ptmxmode=0666"
    )
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        os.symlink(target, f"{device_folder}/{name}")  # noqa: PTH211


def _show(bind: Bind, source: int) -> None:
    target = os.path.realpath(bind.target)
    try:
        if os.path.isdir(f"/proc/self/fd/{source}"):  # noqa: PTH112
            os.makedirs(target, exist_ok=True)  # noqa: PTH103
        elif not os.path.exists(target):  # noqa: PTH110
            os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    except OSError as error:
        raise OSError(
            error.errno,
            f"the mount point cannot be made ({error.strerror}); where the kernel has no overlays for ordinary "
            f"users, volumes can be mounted only on folders that exist, or below /tmp and /run",
            bind.target,
        ) from error
    _bind(source, target, read_only=bind.read_only)


def _bind(source: int, target: str, *, read_only: bool) -> None:
    kernel.mount(f"/proc/self/fd/{source}", target, flags=kernel.MS_BIND | kernel.MS_REC)
    if read_only:
        kernel.make_read_only(target)


def _list_inner_mounts() -> Iterator[str]:
    """Yield where other file systems of the machine lie inside its top folders: an overlay does not show them."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:  # noqa: PTH123
        lines = [line.split(" ") for line in table]
    machine = next((fields[2] for fields in lines if fields[4] == "/"), "")
    seen = set()
    for fields in lines:
        device, origin, path = fields[2], fields[3], fields[4].replace("\\040", " ")
        kind = fields[fields.index("-") + 1]
        inner = path.count("/") > 1 and path.split("/")[1] not in _OWN and kind not in _NOT_SHOWN
        shown = device == machine and origin == path  # the machine's own folder, mounted where it is anyway
        if inner and not shown and path not in seen:
            seen.add(path)
            with contextlib.suppress(OSError):  # another mount hides it
                os.stat(path)  # noqa: PTH116
                yield path
