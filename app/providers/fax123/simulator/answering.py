"""`GET /http.php`: a fax is asked for, and answered `nombre1-ref_accuse`."""

import logging
from dataclasses import dataclass

from starlette.background import BackgroundTask
from starlette.datastructures import QueryParams
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from app.providers.fax123.simulator.acknowledge import Acknowledger, Receipt
from app.providers.fax123.simulator.checks import Means, Request, examine
from app.providers.fax123.simulator.clock import Clock
from app.providers.fax123.simulator.codes import EMISSION, TRANSMITTED
from app.providers.fax123.simulator.connection import Cut
from app.providers.fax123.simulator.document import prefix_of_path
from app.providers.fax123.simulator.ledger import Fax
from app.providers.fax123.simulator.outcomes import Outcomes
from app.providers.fax123.simulator.script import Script

logger = logging.getLogger(__name__)

LONGEST_QUERY = 8_192
HTML = "text/html; charset=iso-8859-1"


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes the requests."""

    means: Means
    outcomes: Outcomes
    acknowledger: Acknowledger
    clock: Clock

    async def send_fax(self, http_request: HttpRequest) -> Response:
        """Examine a request and do what the script of its number says."""
        if len(http_request.url.query) > LONGEST_QUERY:
            return Response(status_code=414)
        request = read(http_request.query_params)
        script = self.outcomes.script(request.number)
        reached = await examine(request, self.means, script.refused_at)
        if reached == script.refused_at:
            return self._reply(script, reference(request, script, 0))
        if reached != TRANSMITTED:
            return answer(reached, reference(request, script, 0))
        return await self._accept(request, script)

    async def _accept(self, request: Request, script: Script) -> Response:
        ledger = self.means.ledger
        earlier = ledger.count(request.number) if len(script.etats) > 1 else 0
        fax = Fax(
            n=ledger.next_n(),
            at=ledger.now(),
            ref=request.ref,
            fax=request.number,
            pages=request.content.pages,
            bytes=request.content.size,
            sha256=request.content.sha256,
            url_path_prefix=prefix_of_path(request.url),
        )
        await ledger.record(fax)
        etat = script.etat(earlier)
        receipt = Receipt(
            etat_e=etat,
            ref_accuse=reference(request, script, fax.n),
            numero=fax.fax,
            nb_page=script.pages(etat, fax.pages),
            times=script.acknowledgements if request.receipt_wanted else 0,
        )
        if script.acknowledged_first:
            await self.acknowledger.now(receipt)
        await self.clock.wait(script.answered_after)
        reply = self._reply(script, receipt.ref_accuse)
        if not script.acknowledged_first:
            reply.background = BackgroundTask(self.acknowledger.soon, receipt)
        return reply

    def _reply(self, script: Script, ref: str) -> Response:
        return Cut() if script.cut else answer(script.answer, ref)


def read(query: QueryParams) -> Request:
    """Return the parameters of the document; those that are missing count as empty."""
    return Request(
        email=query.get("email", ""),
        password=query.get("pass", ""),
        fax=query.get("fax", ""),
        ref=query.get("ref", ""),
        url=query.get("url", ""),
        ref_accuse=query.get("ref_accuse", ""),
    )


def reference(request: Request, script: Script, n: int) -> str:
    """Return `ref_accuse`: "la référence du document transféré", which may be read as either's."""
    return f"X{n}" if script.own_ref else request.ref


def answer(code: str, ref: str) -> Response:
    """Return `nombre1-ref_accuse`, or a raw text if it is not a code."""
    words = EMISSION.get(code, "not in the document")
    logger.info("answered %s", code if code.isdigit() else "a raw text", extra={"words": words})
    text = f"{code}-{ref}" if code.isdigit() else code
    return Response(text.encode("iso-8859-1", errors="replace"), headers={"content-type": HTML})
