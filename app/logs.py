"""Structured logs: one JSON line each, ids and codes, and no text of an exception.

An exception's text may hold a recipient, a password or an address with a token; its class and
where it was raised are enough to find it.
"""

import asyncio
import contextlib
import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

# Their DEBUG prints requests and answers whole.
_LOUD: Final = ("aiohttp", "zeep", "sqlalchemy", "aiosqlite", "asyncio", "alembic", "psycopg")
_Event = MutableMapping[str, Any]
_Fault = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str, *, readable: bool = False) -> None:
    """Send every log of this process to standard error; `readable` is for a terminal."""
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_text,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if not readable:
        renderer = _as_json
    lines = Lines(sys.stderr)
    structlog.configure(
        # Not through the standard library's loggers: they look up who called, and copy each line
        # twice, which costs more than all else of a request's line.
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # Its lines hold whole addresses, and with them the callback's secret and documents' tokens.
    logging.getLogger("uvicorn.access").disabled = True


class Lines:
    """Writes lines to a stream, those of one round of the event loop at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []

    def msg(self, line: str) -> None:
        """Write a line, when the event loop has done what is ready; without a loop, now."""
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if len(self._waiting) == 1:
            loop.call_soon(self._write)

    debug = info = warning = error = critical = exception = fatal = log = msg

    def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        # Whoever read it is gone: no request fails for that.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write("".join([f"{line}\n" for line in lines]))
            self._stream.flush()


_WRITTEN: Final = json.JSONEncoder(default=repr).encode


def _as_json(_logger: object, _name: str, event: _Event) -> str:
    return _WRITTEN(event)


def _without_text(_logger: object, _name: str, event: _Event) -> _Event:
    """Replace an exception by its classes and places."""
    found = event.pop("exc_info", None)
    event.pop("exception", None)
    event.pop("stack_info", None)
    fault = _fault(found)
    if fault is not None:
        event["fault"] = [kind.__name__ for kind in _chain(fault[1])]
        frames = traceback.extract_tb(fault[2])
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return event


def _fault(found: object) -> _Fault | None:
    if isinstance(found, BaseException):
        return type(found), found, found.__traceback__
    if isinstance(found, tuple) and found[0] is not None:
        return found
    if found:
        kind, value, trace = sys.exc_info()
        return (kind, value, trace) if kind is not None and value is not None else None
    return None


def _chain(fault: BaseException | None) -> list[type[BaseException]]:
    kinds: list[type[BaseException]] = []
    while fault is not None and len(kinds) < 5:  # noqa: PLR2004 -- enough to see
        kinds.append(type(fault))
        fault = fault.__cause__ or fault.__context__
    return kinds
