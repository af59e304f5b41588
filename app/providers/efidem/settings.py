"""What Efidem needs to be told."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.providers.efidem.statuses import read_bindings


class EfidemSettings(BaseSettings):
    """The account at Efidem, and its WSDL."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_EFIDEM_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )
    needed: ClassVar = ("wsdl", "username", "password", "app_id")  # or nothing can be sent

    wsdl: str | None = Field(
        None, description="Address or path of the WSDL that Efidem handed over"
    )
    username: str | None = Field(None, description="UTILISATEUR")
    password: SecretStr | None = Field(None, description="MOT_DE_PASSE")
    app_id: str | None = Field(None, description="AppID")
    address: HttpUrl | None = Field(
        None, description="Address of the service, where it is not the one in the WSDL"
    )
    bindings: Path | None = Field(
        None, description="TOML file of what no document says, such as the map of status codes"
    )
    reload: Annotated[float, Field(gt=0, le=604_800)] = Field(
        900.0, description="Seconds between looks whether the WSDL has changed"
    )
    timeout: Annotated[float, Field(gt=0, le=110)] = Field(
        75.0, description="Seconds for one call; two thirds of a worker's lease at most"
    )
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(16, description="Calls at once")
    rate: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Calls per second at most; no limit where it is not set"
    )
    keep: Annotated[float, Field(ge=0, le=60)] = Field(
        1.0,
        description="Seconds for which a connection may wait for the next call; 0: each call has one of its own",
    )
    slots: Annotated[int, Field(ge=0, le=64)] = Field(
        0,
        description="Billing codes -1, -2, ... beside each of the clients', under which one SMS at a"
        " time is sent, so that counting tells of an uncertain one; 0: none",
    )

    @property
    def missing(self) -> list[str]:
        """The variables without which nothing can be sent."""
        return [
            f"MULTICANAL_EFIDEM_{name.upper()}"
            for name in self.needed
            if getattr(self, name) is None
        ]

    @field_validator("bindings")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_bindings(value)
        return value
