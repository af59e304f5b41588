"""The tables of docs/ that are made from the code, and `python -m tests.house.tables` to write them.

In a page they stand between `<!-- made: NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.api.access_settings import AccessSettings
from app.delivery.look import LOOKS
from app.delivery.retry import HORIZONS, INTERVALS
from app.delivery.settings import QueueSettings
from app.delivery.webhook_settings import WebhookSettings
from app.domain.status import BY_REPORT, FINAL, NEXT, Status
from app.domain.webhooks import SCHEDULE
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123.settings import Fax123Settings
from app.providers.twins import TwinSettings
from app.settings import CoreSettings, names_of
from tests.house.pages import DOCS, text_of

_PLACE: Final = re.compile(r"(<!-- made: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(one) + " |" for one in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"


def named(statuses: Iterable[Status]) -> str:
    chosen = set(statuses)
    return ", ".join(f"`{one}`" for one in Status if one in chosen) or "nothing"


def duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def moves() -> str:
    by_report = {(one, following) for one, following in BY_REPORT}
    return table(
        ("from", "to", "to, by a provider's definite report alone", "final"),
        (
            (
                f"`{one}`",
                named(to for to in NEXT[one] if (one, to) not in by_report),
                named(to for to in NEXT[one] if (one, to) in by_report).replace("nothing", ""),
                "yes" if one in FINAL else "",
            )
            for one in Status
        ),
    )


def looks() -> str:
    return table(
        ("channel", "asked so long after the last time", "`expired` without a final status after"),
        (
            (
                channel.value,
                ", ".join(map(duration, INTERVALS[channel])) + ", and so on",
                duration(HORIZONS[channel]),
            )
            for channel in INTERVALS
        ),
    )


def uncertain() -> str:
    return table(
        ("look", "so long after it became uncertain"),
        (
            ("the first ones", ", ".join(map(duration, LOOKS[:6]))),
            ("then", f"every {duration(LOOKS[7] - LOOKS[6])}, until {duration(LOOKS[23])}"),
            ("then", f"every {duration(LOOKS[-1] - LOOKS[-2])}, until {duration(LOOKS[-1])}"),
        ),
    )


def tries() -> str:
    return table(
        ("try", "so long after the one before, a fifth more or less"),
        [("1", "at once"), *((str(at), duration(one)) for at, one in enumerate(SCHEDULE, 2))],
    )


def settings(*kinds: type[BaseSettings]) -> str:
    return table(
        ("setting", "what it is", "default"),
        (
            (f"`{name}`", described(field), shown(field))
            for kind in kinds
            for name, field in zip(names_of(kind), kind.model_fields.values(), strict=True)
        ),
    )


def described(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def shown(field: FieldInfo) -> str:
    value = field.get_default()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value in {None, ""} or isinstance(value, SecretStr) else f"`{value}`"


MADE: Final[Mapping[str, Callable[[], str]]] = {
    "moves": moves,
    "looks": looks,
    "uncertain": uncertain,
    "webhooks": tries,
    "settings-core": partial(settings, CoreSettings),
    "settings-queue": partial(settings, QueueSettings),
    "settings-access": partial(settings, AccessSettings),
    "settings-webhooks": partial(settings, WebhookSettings),
    "settings-efidem": partial(settings, EfidemSettings),
    "settings-fax": partial(settings, Fax123Settings),
    "settings-test": partial(settings, TwinSettings),
}


def remade(text: str) -> str:
    """Return a page with its tables as the code has them now."""
    return _PLACE.sub(lambda found: found[1] + MADE[found[2]]() + found[4], text)


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(remade(text_of(page)), encoding="utf-8")
