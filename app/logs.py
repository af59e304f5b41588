"""Structured logs: one JSON line each, ids and codes, and no text of an exception.

An exception's text may hold a recipient, a password or an address with a token; its class and
where it was raised are enough to find it.
"""

import asyncio
import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from pydantic_core import to_json

from app.domain.jsons import writer
from app.domain.request_id import REQUEST_ID

# Their DEBUG prints requests and answers whole.
_LOUD: Final = ("aiohttp", "zeep", "sqlalchemy", "aiosqlite", "asyncio", "alembic", "psycopg")
_Event = MutableMapping[str, Any]
# As `app.api.requests` has it: not every command that logs reads the API.
_Tell = Callable[[str, str, str | None, int, str | None, float], None]
_Taken = tuple[str, str, str | None]  # a message's id, its attempt's reference, and the code
# When a request was answered, by the seconds since 1970, and what `_Tell` is given.
_Answered = tuple[float, str, str, str | None, int, str | None, float]
_Fault = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str, *, readable: bool = False) -> None:
    """Send every log of this process to standard error; `readable` is for a terminal."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if not readable:
        renderer = _as_json
    lines = Lines(sys.stderr)
    structlog.configure(
        # Not through the standard library's loggers: they look up who called, and copy each line
        # twice, which costs more than all else of a request's line.
        processors=[*_STEPS] if renderer is _as_json else [_completed, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_completed],
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


def of_requests() -> _Tell | None:
    """Return what writes the line of a request into the log that `configure` made.

    It is the line that structlog would make of it, at a fifth of the price: each request has one.
    None where there is another log, or none at the level info.
    """
    lines = _ours()
    if lines is None:
        return None

    def tell(
        request_id: str, method: str, route: str | None, status: int, key: str | None, ms: float
    ) -> None:
        lines.msg((time.time(), request_id, method, route, status, key, ms))

    return tell


def _answered(of: _Answered) -> str:
    """Return the line of a request."""
    at, request_id, method, route, status, key, ms = of
    return (
        f'{_begun(method, route, status, key)}{ms!r}, "event": "answered",'
        f' "request_id": {_text(request_id)}, "level": "info",'
        f' "timestamp": {to_json(datetime.fromtimestamp(at, UTC)).decode()}}}'
    )


def of_taken() -> Callable[[Sequence[_Taken]], None] | None:
    """Return what writes the lines of messages that their providers took.

    Made by hand as those of requests, and None where those are not: each message has one.
    """
    lines = _ours()
    if lines is None:
        return None

    def tell(taken: Sequence[_Taken]) -> None:
        at = to_json(datetime.now(UTC)).decode()
        written = [
            f'{{"message_id": {_text(message_id)}, "attempt_reference": {_text(reference)},'
            f' "outcome": "accepted", "code": {_text(code)}, "why": null, "recorded": true,'
            f' "event": "submitted", "level": "info", "timestamp": {at}}}'
            for message_id, reference, code in taken
        ]
        lines.msg("\n".join(written))

    return tell


def _ours() -> "Lines | None":
    """Return where lines of the level info go in the log that `configure` made."""
    made = structlog.get_config()
    if made["processors"] != _STEPS or not logging.getLogger().isEnabledFor(logging.INFO):
        return None
    lines: Lines = made["logger_factory"]()
    return lines


@lru_cache(maxsize=1024)
def _begun(method: str, route: str | None, status: int, key: str | None) -> str:
    """Return how a request's line begins: as many others of the same client."""
    return (
        f'{{"method": {_text(method)}, "route": {_text(route)}, "status": {status},'
        f' "key": {_text(key)}, "ms": '
    )


def _text(value: str | None) -> str:
    return encode_basestring_ascii(value) if value is not None else "null"


class Lines:
    """Writes lines to a stream, those of one round of the event loop at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str | _Answered] = []

    def msg(self, line: str | _Answered) -> None:
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
        written = [line if isinstance(line, str) else _answered(line) for line in lines]
        # Whoever read it is gone: no request fails for that.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write("\n".join([*written, ""]))
            self._stream.flush()


_WRITTEN: Final = writer(default=repr)
# As structlog.stdlib.add_log_level has them.
_LEVELS: Final = {"warn": "warning", "exception": "error"}
_HIDING: Final = frozenset({"exc_info", "exception", "stack_info"})


def _completed(_logger: object, name: str, event: _Event) -> _Event:
    """Add what holds for all lines of a task, the level and the time; take away exceptions' texts.

    In one step, and with the quickest writer of times: each request has a line.
    """
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    event["level"] = _LEVELS.get(name, name)
    event["timestamp"] = to_json(datetime.now(UTC))[1:-1].decode()
    return event if _HIDING.isdisjoint(event) else _without_text(event)


def _as_json(_logger: object, _name: str, event: _Event) -> str:
    return _WRITTEN(event)


_STEPS: Final[list[Any]] = [_completed, _as_json]


def _without_text(event: _Event) -> _Event:
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
