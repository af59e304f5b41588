"""Where webhooks may go, and how long one try takes."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.delivery import networks


class WebhookSettings(BaseSettings):
    """Where webhooks may go."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    webhook_networks: str = Field(
        "public",
        description="Where webhooks may go, comma-separated: networks such as 10.1.0.0/16, hosts"
        " such as crm.example.com, all below .example.com, private, public; metadata addresses and"
        " the gateway itself never",
    )
    webhook_http: Literal["allowed", "refused"] | None = Field(
        None, description="Whether webhooks may go over plain HTTP; refused in production"
    )
    webhook_timeout: Annotated[float, Field(ge=0.1, le=60)] = Field(
        15.0, description="Seconds for one try of a webhook; two thirds of a worker's lease at most"
    )

    @field_validator("webhook_networks")
    @classmethod
    def _readable(cls, value: str) -> str:
        networks.read(value)
        return value
