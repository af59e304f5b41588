"""Be the process of its own: tasks on standard input, answers on standard output."""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from app.delivery.inspect.draw import draw
from app.delivery.inspect.look import Found, look, rewrite
from app.delivery.inspect.rasterise import rasterise
from app.delivery.inspect.refuse import Refused
from app.delivery.inspect.tasks import ALLOWED, ANSWER, MOST_MEMORY, QUESTION, READY, Task
from app.delivery.inspect.typeset import typeset

# Each takes the document, and the task's options by name.
TASKS: Final[Mapping[Task, Callable[..., Found]]] = {
    Task.LOOK: look,
    Task.REWRITE: rewrite,
    Task.DRAW: draw,
    Task.TYPESET: typeset,
    Task.RASTERISE: rasterise,
}


def main() -> None:
    """Do one task after another, each within its allowance, until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    _write(READY)
    while question := sys.stdin.buffer.read(QUESTION.size):
        length, size = QUESTION.unpack(question)
        options = json.loads(sys.stdin.buffer.read(length))
        task = Task(options.pop("task"))
        _allow(task)
        try:
            found, written = TASKS[task](sys.stdin.buffer.read(size), **options)
        except Refused as refused:
            found, written = {"code": refused.code, "detail": refused.detail}, b""
        head = json.dumps(found).encode()
        _write(ANSWER.pack(len(head), len(written)) + head + written)


def _allow(task: Task) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ALLOWED[task].memory, MOST_MEMORY))
    # The limit counts from the process's start; who exceeds it is killed by the kernel.
    used = int(time.process_time())
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + ALLOWED[task].seconds, hard))


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
