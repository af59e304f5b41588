"""Settings, read from MULTICANAL_* variables; all that is wrong with them is named at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from app.api.access_settings import AccessSettings
from app.delivery import fault_points
from app.delivery.settings import QueueSettings
from app.delivery.webhook_settings import WebhookSettings
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123.settings import Fax123Settings
from app.providers.twins import TwinSettings, clashes
from app.store.addresses import address

PREFIX: Final = "MULTICANAL_"
SECRET_LENGTH: Final = 32  # bytes, in production
# A call begins within a quarter of the lease, or not at all; what is left is for writing it down.
LEASE_PER_CALL: Final = 1.5


class CoreSettings(BaseSettings):
    """Where the store is, where we are reached, and how the worker behaves."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses to start on unsafe settings"
    )
    database_url: str = Field(
        "sqlite:///./multicanal.db", description="sqlite:///file or postgresql://user@host/name"
    )
    database_pool: Annotated[int, Field(ge=2, le=100)] = Field(
        10, description="Connections to the store, for each process"
    )
    host: str = Field("127.0.0.1", description="Address that the API listens on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port of the API")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="Address at which 123-fax reaches our document server and callback",
    )
    callback_secret: SecretStr = Field(
        SecretStr("development-callback"), description="The secret in GET /hooks/123fax/{secret}"
    )
    key_pepper: SecretStr = Field(
        SecretStr("development-pepper"),
        description="Secret under which API keys are hashed; keys are void when it changes",
    )
    route_fax: Literal["fax123", "efidem"] = Field(
        "fax123", description="The provider that carries faxes: fax123 or efidem"
    )
    route_email: Literal["auto", "transactional"] = Field(
        "auto",
        description="Whether an e-mail that needs the relay takes it by itself (auto), or only where"
        " its request says route: relay (transactional)",
    )
    fax_retry_delays: str = Field(
        "300,900,1800",
        pattern=r"^([0-9]{1,5}(,[0-9]{1,5}){0,9})?$",
        description="Seconds before each new attempt of a fax to a busy line, comma-separated",
    )
    fax_ack_overdue: Annotated[float, Field(gt=0, le=172_800)] = Field(
        3600.0, description="Seconds after which a missing acknowledgement of a fax is overdue"
    )
    settle: Annotated[float, Field(gt=0, le=86_400)] = Field(
        1800.0,
        description="Seconds after which a provider's report has what was sent: three times the"
        " longest lag that was ever seen",
    )
    idempotency: Literal["required", "optional"] | None = Field(
        None, description="Whether live keys must send Idempotency-Key; required in production"
    )
    body_limit: Annotated[int, Field(ge=1_048_576, le=104_857_600)] = Field(
        16 * 1_048_576, description="Bytes of a request's body"
    )
    attachment_limit: Annotated[int, Field(ge=1024, le=52_428_800)] = Field(
        10 * 1_048_576, description="Bytes of a message's files together"
    )
    worker_idle: Annotated[float, Field(gt=0, le=60)] = Field(
        0.5, description="Seconds between looks at an empty queue"
    )
    worker_drain: Annotated[float, Field(ge=0, le=600)] = Field(
        80.0, description="Seconds that calls in flight have when the worker stops"
    )
    worker_lease: Annotated[float, Field(ge=1, le=3600)] = Field(
        120.0,
        description="Seconds for which a message is its worker's; at least one and a half times the"
        " longest call",
    )
    pace: Annotated[float, Field(gt=0, le=10)] = Field(
        1.0, description="Multiplies every pause between looks and tries; below 1 for a laptop"
    )
    spool: str = Field(
        "spool",
        description="Folder on this host's disk for 123-fax's acknowledgements that come while the"
        " store is away",
    )
    incarnation_file: str | None = Field(
        None, description="File outside the store that tells whether the store was restored"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least that is logged"
    )
    fault_points: str = Field(
        "", description="Where a test ends, stops or delays a process; production has none"
    )

    @field_validator("fault_points", "database_url")
    @classmethod
    def _readable(cls, value: str, about: ValidationInfo) -> str:
        if about.field_name == "database_url":
            address(value)
        else:
            fault_points.read(value, lambda: 0.0)
        return value

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def fax_retries(self) -> tuple[timedelta, ...]:
        """The pauses before a fax to a busy line is sent again."""
        return tuple(timedelta(seconds=int(one)) for one in self.fax_retry_delays.split(",") if one)

    @property
    def requires_idempotency(self) -> bool:
        """Whether live keys must send an Idempotency-Key."""
        usual = "required" if self.environment == "production" else "optional"
        return (self.idempotency or usual) == "required"


@dataclass(frozen=True, slots=True)
class AllSettings:
    """Every setting of this process."""

    core: CoreSettings
    efidem: EfidemSettings
    fax123: Fax123Settings
    queue: QueueSettings
    access: AccessSettings = field(default_factory=AccessSettings.model_construct)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings.model_construct)
    twins: TwinSettings = field(default_factory=TwinSettings.model_construct)


class WrongSettings(Exception):
    """Some settings are wrong; `problems` names each, without its value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


_Kind = TypeVar("_Kind", bound=BaseSettings)


def load(environment: Mapping[str, str] | None = None) -> AllSettings:
    """Read every setting; raises WrongSettings with all that is wrong."""
    problems: list[str] = []
    core, queue = _read(CoreSettings, problems), _read(QueueSettings, problems)
    access, twins = _read(AccessSettings, problems), _read(TwinSettings, problems)
    efidem, fax123 = _read(EfidemSettings, problems), _read(Fax123Settings, problems)
    webhooks = _read(WebhookSettings, problems)
    problems += clashes(twins, efidem, fax123)
    problems += _too_long(core, {"EFIDEM": efidem.timeout, "FAX123": fax123.timeout})
    problems += access.wrong(production=core.environment == "production")
    if core.environment == "production":
        problems += _unsafe(core, fax123)
        problems += unknown_names(environment)
    if problems:
        raise WrongSettings(problems)
    return AllSettings(core, efidem, fax123, queue, access, webhooks, twins)


def unknown_names(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return a line for each MULTICANAL_ variable that no setting reads."""
    own = (*os.environ, *DotEnvSettingsSource(CoreSettings).env_vars)
    given = {name.upper() for name in (own if environment is None else environment)}
    known = {name for kind in KINDS for name in names_of(kind)}
    return [
        f"{name} is not a setting of this version"
        for name in sorted(given)
        if name.startswith(PREFIX) and name not in known
    ]


KINDS: Final[tuple[type[BaseSettings], ...]] = (
    *(CoreSettings, QueueSettings, AccessSettings, WebhookSettings),
    *(EfidemSettings, Fax123Settings, TwinSettings),
)


def names_of(kind: type[BaseSettings]) -> list[str]:
    """Return the variables that a settings class reads."""
    prefix = kind.model_config.get("env_prefix", "")
    return [f"{prefix}{name}".upper() for name in kind.model_fields]


def _read(kind: type[_Kind], problems: list[str]) -> _Kind:
    """Return the settings of a class; what is wrong is named, and has its default."""
    try:
        return kind()
    except ValidationError as fault:
        defaults = {}
        for error in fault.errors():
            field = str(error["loc"][0])
            defaults[field] = kind.model_fields[field].get_default()
            name = f"{kind.model_config.get('env_prefix', '')}{field}".upper()
            # The message of pydantic names the rule and never the value.
            problems.append(f"{name}: {error['msg'].removeprefix('Value error, ')}")
        return kind(**defaults)


def _too_long(core: CoreSettings, timeouts: Mapping[str, float]) -> list[str]:
    """Return a line for each call that a worker's lease would not outlast."""
    longest = core.worker_lease / LEASE_PER_CALL
    return [
        f"{PREFIX}{name}_TIMEOUT: with a {PREFIX}WORKER_LEASE of {core.worker_lease:g} a call may"
        f" take {longest:g} seconds at most"
        for name, timeout in timeouts.items()
        if timeout > longest
    ]


def _unsafe(core: CoreSettings, fax123: Fax123Settings) -> list[str]:
    remedy = f"production needs a secret of at least {SECRET_LENGTH} bytes (openssl rand -hex 32)"
    problems = [
        f"{PREFIX}{name.upper()}: {remedy}"
        for name in ("callback_secret", "key_pepper")
        if len(getattr(core, name).get_secret_value().encode()) < SECRET_LENGTH
    ]
    if core.key_pepper.get_secret_value() == core.callback_secret.get_secret_value():
        problems.append(f"{PREFIX}KEY_PEPPER and {PREFIX}CALLBACK_SECRET must differ")
    if core.fault_points:
        problems.append(f"{PREFIX}FAULT_POINTS: production has none")
    if fax123.url is not None and not core.public_url.startswith("https://"):
        problems.append(f"{PREFIX}PUBLIC_URL: production serves documents over https only")
    return problems
