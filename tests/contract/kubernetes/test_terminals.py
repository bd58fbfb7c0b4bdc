"""People at a terminal: commands in pods, and programs in pods that are talked to.

https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.manifests import container, pod, pod_spec
from tests.contract.kubernetes.terminal import at_terminal

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Operators

pytestmark = pytest.mark.drill
_ANSWER = 'import sys\nfor line in sys.stdin: print("heard", line.strip(), flush=True)\nprint("no more", flush=True)'


def _start(operators: Operators, name: str, **fields: object) -> None:
    """Have a pod run that answers each line that it is told."""
    spec = pod_spec(name, container(operators.cluster.python, _ANSWER, **fields), restartPolicy="Never")
    operators.apply(pod(name, spec))
    operators.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")


def test_a_shell_at_a_terminal(operators: Operators) -> None:
    """`exec -it` is a terminal of the size of one's own: it echoes, interrupts on Ctrl-C, and ends as the shell does.

    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/
    """
    _start(operators, "plain", stdin=True)
    with at_terminal(operators, "exec", "-it", "plain", "--", "sh", size=(33, 101)) as terminal:
        terminal.await_words("# ")
        terminal.type("tty; stty size\r")
        terminal.await_words("/dev/pts/0\r\n33 101\r\n")
        terminal.type("sleep 1000\r")
        terminal.await_words("sleep 1000\r\n")
        terminal.type("\x03")
        terminal.await_words("^C")
        terminal.type("exit 7\r")
        assert terminal.await_end() == 7
    assert "command terminated with exit code 7" in terminal.said


def test_a_program_is_attached_to(operators: Operators) -> None:
    """`attach -it` reaches the program's own terminal; who leaves does not end it, and who comes back is heard again.

    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/
    """
    _start(operators, "talks", stdin=True, tty=True)
    for word in ("first", "second", "last"):
        with at_terminal(operators, "attach", "-it", "talks") as terminal:
            terminal.await_words("If you don't see a command prompt, try pressing enter.")
            terminal.type(f"{word}\r")
            terminal.await_words(f"{word}\r\nheard {word}\r\n")
            if (
                word == "last"
            ):  # not before it was heard: kubectl says its sentence before it lets keys through
                terminal.type("\x04")
                terminal.await_words("no more\r\n")
                assert terminal.await_end() == 0
                break
        assert operators.read("pod", "talks")["status"]["phase"] == "Running"
    operators.kubectl("wait", "pod/talks", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")


def test_a_program_is_attached_to_without_a_terminal(operators: Operators) -> None:
    """`attach -i` passes a pipe on; with `stdinOnce` the program sees its end when whoever came first has left.

    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/
    """
    _start(operators, "reads", stdin=True, stdinOnce=True)
    assert operators.kubectl("attach", "-i", "reads", said="a\nb\n").splitlines()[-3:] == [
        "heard a",
        "heard b",
        "no more",
    ]
    operators.kubectl("wait", "pod/reads", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")


def test_a_command_in_a_pod_of_its_own(operators: Operators) -> None:
    """`run -it --rm` is a pod for one command at a terminal: it ends as that, and leaves nothing.

    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_run/
    """
    image = f"--image={operators.cluster.python}"
    program = "print('asked', input()); raise SystemExit(5)"
    command = ("run", "once", "-it", "--rm", "--restart=Never", image, "--command", "--")
    with at_terminal(operators, *command, "python3", "-c", program) as terminal:
        terminal.await_words("try pressing enter.")
        terminal.type("me\r")
        terminal.await_words("asked me\r\n")
        assert terminal.await_end() == 5
    assert 'pod "once" deleted' in terminal.said
    assert "not found" in operators.try_kubectl("get", "pod", "once").stderr
