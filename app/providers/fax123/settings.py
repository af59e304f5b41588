"""What 123-fax needs to be told."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.providers.fax123.bindings import read_bindings


class Fax123Settings(BaseSettings):
    """The account at 123-fax."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_FAX123_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )
    needed: ClassVar = ("url", "email", "password")  # or nothing can be sent

    url: HttpUrl | None = Field(
        None, description="Address of the provider's call, e.g. http://www.123-fax.net/http.php"
    )
    email: str | None = Field(None, description="The account's e-mail address (`email`)")
    password: SecretStr | None = Field(None, description="The account's password (`pass`)")
    receipt_email: str | None = Field(
        None, description="Mailbox for copies of acknowledgements (`accuse_email`), if any"
    )
    bindings: Path | None = Field(
        None, description="TOML file of what acknowledgement codes mean that no document lists"
    )
    timeout: Annotated[float, Field(gt=0, le=110)] = Field(
        75.0, description="Seconds for one call, the provider's download included"
    )
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(4, description="Calls at once")

    @property
    def missing(self) -> list[str]:
        """The variables without which nothing can be sent."""
        return [
            f"MULTICANAL_FAX123_{name.upper()}"
            for name in self.needed
            if getattr(self, name) is None
        ]

    @field_validator("bindings")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_bindings(value)
        return value
