"""Building Kubernetes' programs while something else goes on that needs them only later.

Whoever needs them meanwhile, in whatever process, waits by `kubernetes_programs.await_programs`.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self

from drdrill.dataplane.kubernetes_build import BuildSwitch, prepare_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.dataplane.kubernetes_build import BuildProgress
    from drdrill.dataplane.kubernetes_programs import KubernetesPrograms

_END_WITHIN_SECONDS = 10.0  # measured 0.1 s; less than it, unless another process is who builds


class BackgroundBuild:
    """A context manager: on entering, the build has begun and is seen to have; leaving ends it.

    `tell` is called from another thread. `programs` has the programs in the end, or why there are none.
    """

    def __init__(
        self, tell: Callable[[BuildProgress], None], variables: Mapping[str, str] = os.environ
    ) -> None:
        self.programs: Future[KubernetesPrograms] = Future()
        self._tell = tell
        self._variables = variables
        self._switch = BuildSwitch()
        self._begun = threading.Event()
        # Whoever waits for another process's build cannot be ended: it must not keep this process from its end.
        self._thread = threading.Thread(target=self._build, name="kubernetes-build", daemon=True)

    def __enter__(self) -> Self:
        """Begin it; nothing is built where the programs are there."""
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """End it where it goes on; nothing of it runs on then."""
        self._switch.turn_off()
        self._thread.join(_END_WITHIN_SECONDS)

    def _build(self) -> None:
        def tell(progress: BuildProgress) -> None:
            self._begun.set()  # what is told of is locked: others see that they are being built
            self._tell(progress)

        try:
            self.programs.set_result(prepare_programs(tell, self._variables, self._switch))
        except BaseException as error:  # noqa: BLE001 (the thread's main: whoever waits hears of it)
            self.programs.set_exception(error)
        finally:
            self._begun.set()
