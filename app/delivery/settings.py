"""How much may wait to be sent, and how much room the store's disk keeps."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_GIB: Final = 1024**3
_LAPTOP: Final = _GIB // 4  # bytes that a laptop's disk keeps free
_REQUESTS: Final = 64  # with the largest body, that one machine may hold at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may wait, and how much room must stay free."""

    messages: int
    size: int  # bytes
    client: int  # messages of one client
    disk: int = 0  # bytes; 0: the store is not on this machine's disk
    folder: Path = Path()  # where the store is


class QueueSettings(BaseSettings):
    """Limits on what is taken in."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    queue_most: Annotated[int, Field(ge=10, le=10_000_000)] = Field(
        50_000,
        description="Messages that may wait to be sent; a fifth is for urgent purposes alone",
    )
    queue_bytes: Annotated[int, Field(ge=1_048_576)] = Field(
        2 * _GIB, description="Bytes of contents and files that may wait to be sent"
    )
    queue_client: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        40_000, description="Messages of one client that may wait to be sent"
    )
    idempotency_days: Annotated[int, Field(ge=30, le=36_500)] = Field(
        90,
        description="Days for which an Idempotency-Key is kept; never less than the message it made",
    )
    retention_days: Annotated[int, Field(ge=30, le=36_500)] | None = Field(
        None,
        description="Days for which a message is kept after its last event, with all that is its own;"
        " not less than MULTICANAL_IDEMPOTENCY_DAYS; empty: for ever",
    )
    client_rate: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        5_000,
        description="Requests a second of one client, over all processes, where nothing else is said"
        " of it; 0: no limit",
    )
    time_zone: str = Field(
        "Europe/Paris", description="Whose midnight clients' daily quotas begin anew at"
    )
    disk_reserve: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="Bytes that must stay free on the disk of an SQLite store; 0: no such rule",
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "name a time zone as Europe/Paris or UTC"
            raise ValueError(message) from None
        return value

    @field_validator("retention_days")
    @classmethod
    def _outlives_keys(cls, value: int | None, about: ValidationInfo) -> int | None:
        keys = about.data.get("idempotency_days", 0)
        if value is not None and value < keys:
            message = f"a message is kept as long as its Idempotency-Key: {keys} days at least"
            raise ValueError(message)
        return value

    @property
    def kept(self) -> timedelta | None:
        """How long a message is kept after its last event; None: for ever."""
        return timedelta(days=self.retention_days) if self.retention_days is not None else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of that name."""
        return ZoneInfo(self.time_zone)

    def limits(self, folder: Path | None, *, body_limit: int, production: bool) -> Limits:
        """Return the limits; `folder` is where an SQLite store is, if it is one."""
        reserve = self.disk_reserve
        if reserve is None:
            usual = max(2 * _GIB, body_limit * _REQUESTS * 3 // 2)
            reserve = usual if production else _LAPTOP
        return Limits(
            messages=self.queue_most,
            size=self.queue_bytes,
            client=self.queue_client,
            disk=reserve if folder is not None else 0,
            folder=folder or Path(),
        )
