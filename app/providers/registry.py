"""All providers: the only file that names them."""

from collections.abc import Mapping
from typing import Final

from app.delivery.gateway import Learn, Provider
from app.delivery.inspect import Inspector
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123 import acknowledgement
from app.providers.fax123.provider import Fax123
from app.providers.fax123.settings import Fax123Settings

LEARN: Final[Mapping[str, Learn]] = {Fax123.name: acknowledgement.learn}


def build(
    efidem: EfidemSettings, fax123: Fax123Settings, inspector: Inspector
) -> dict[str, Provider]:
    """Return every provider by its name."""
    providers: tuple[Provider, ...] = (Efidem(efidem), Fax123(fax123, inspector))
    return {one.name: one for one in providers}
