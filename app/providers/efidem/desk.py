"""Efidem's desk: the functions that neither send nor follow a message, one call each."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.domain.outcome import Blocked, Consulted, Wrong
from app.providers.efidem import consult, report_columns, statuses
from app.providers.efidem import functions as efidem
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.report_columns import ReportFormat
from app.providers.efidem.soap import CannotBind
from app.providers.efidem.statuses import Bindings
from app.providers.operator_file import OperatorFile
from app.providers.wire import LARGEST_ANSWER, LARGEST_REPORT

_BY_NAME: Final = {one.name: one for one in efidem.FUNCTIONS if one.name in consult.KINDS}
_LARGEST: Final = {efidem.RAPPORT.name: LARGEST_REPORT}  # bytes of an answer


class Desk:
    """Asks Efidem, by the contract that the provider of the same name works with."""

    def __init__(self, contracting: Contracting, said: OperatorFile[Bindings]) -> None:
        self._contracting = contracting
        self._said = said

    async def consult(self, function: str, values: Mapping[str, object]) -> Consulted:
        """Call a documented function once, with values by their documented names.

        Nothing is repeated here, nor below: an unclear answer may stand for a user who was made.
        """
        known = self._said.now().completed(_BY_NAME[function])
        ready = await self._contracting.ready(known)
        if isinstance(ready, Blocked):
            return ready
        try:
            exchange = await self._contracting.call(
                *ready, values, largest=_LARGEST.get(function, LARGEST_ANSWER)
            )
        except CannotBind as fault:
            return Blocked("provider_contract", fault.why, stops=False)
        except ValueError:
            # zeep and lxml refuse it while rendering: no byte left.
            return Wrong("", "a value that XML cannot carry", "forbidden_characters")
        # A report of megabytes takes long to read.
        return await asyncio.to_thread(consult.consulted, known, values, exchange)

    async def read_report(self, content: bytes) -> Sequence[Mapping[str, str]] | None:
        """Return a report's rows by our names, None where nobody has said what its columns are.

        Raises ValueError, without a word of the report, where it is not as it was said.
        """
        written = await self._format()
        if written is None:
            return None
        return await asyncio.to_thread(report_columns.rows, written, content)

    async def report_columns(self) -> Collection[str] | None:
        """Return our names of a report's columns, None where nobody has said what they are."""
        written = await self._format()
        return None if written is None else tuple(written.columns)

    async def _format(self) -> ReportFormat | None:
        """Return how reports are written: our own simulator's are known, others are told."""
        if (written := self._said.now().report) is not None:
            return written
        contract = await self._contracting.contracted()
        if contract is not None and contract.service_name == statuses.SIMULATOR_SERVICE:
            return statuses.read_bindings(statuses.SIMULATOR).report
        return None
