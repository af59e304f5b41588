"""From what a client sent to what is kept: the domain's contents, and warnings."""

import html
import re
from collections.abc import Sequence
from typing import Final

from app.api.addressing import addressed
from app.api.gather import Gathered
from app.api.schemas import Common, EmailIn, FaxIn, LetterIn, SmsIn
from app.api.spell import text_of, variables_of
from app.domain.message import Content, Email, Fax, File, Letter, Sms

_FILLER: Final = "."  # for names that the provider demands even of a company
_BLANKS: Final = re.compile(r"\s+")


def needs_relay(body: EmailIn) -> list[str]:
    """Return the fields that only the relay carries."""
    needs = {
        "/to/1": len(body.to) > 1,
        "/cc": bool(body.cc),
        "/errors_to": body.errors_to is not None,
        "/track/opens": body.track.opens,
        "/track/clicks": body.track.clicks,
    }
    return [pointer for pointer, needed in needs.items() if needed]


def takes_relay(body: Common) -> bool:
    """Return whether a message is an e-mail that leaves by the relay."""
    if not isinstance(body, EmailIn):
        return False
    return body.route == "relay" or (body.route == "auto" and bool(needs_relay(body)))


def email(body: EmailIn, files: Sequence[File], gathered: Gathered) -> Content:
    """Return an e-mail; the missing one of its two bodies is derived from the other."""
    to = body.to[0]
    relay = takes_relay(body)
    if body.from_.name is not None:
        # Efidem's EMETTEUR is "Adresse email d'émission".
        gathered.warnings.append("not_carried:/from/name")
    if relay:
        named = {f"/to/{place}/name": one.name for place, one in enumerate(body.to)}
        named |= {f"/cc/{place}/name": one.name for place, one in enumerate(body.cc)}
        gathered.warnings += [f"not_carried:{pointer}" for pointer, name in named.items() if name]
    return Email(
        to_address=to.address,
        to_name=None if relay else to.name,
        from_address=body.from_.address,
        reply_to=body.reply_to,
        subject=body.subject,
        text=body.text or gathered.derived(_as_text, body.html or ""),
        html=body.html or gathered.derived(_as_html, body.text or ""),
        files=tuple(files),
        variables=tuple(body.variables),
        relay=relay,
        also_to=tuple(one.address for one in body.to[1:]),
        cc=tuple(one.address for one in body.cc),
        errors_to=body.errors_to,
        track_opens=body.track.opens,
        track_clicks=body.track.clicks,
    )


def sms(body: SmsIn, _files: Sequence[File], gathered: Gathered) -> Content:
    """Return a text message."""
    text, variables = text_of(body, gathered), variables_of(body, gathered)
    return Sms(to=body.to, text=text, sender=body.sender, variables=variables)


def letter(body: LetterIn, files: Sequence[File], gathered: Gathered) -> Content:
    """Return a letter; the provider demands names even of a company."""
    to = addressed(body.to, gathered)
    if body.on_uncertain == "retry":
        # It costs, and may bind.
        detail = "A letter is sent again by a person only: leave it out, or say hold."
        gathered.refuse("/on_uncertain", "not_supported", detail)
    for name, value in (("last_name", to.last_name), ("first_name", to.first_name)):
        if value is None:
            gathered.warnings.append(f"filled:/to/{name}")
    return Letter(
        title=to.title,
        last_name=to.last_name or to.company or _FILLER,
        first_name=to.first_name or _FILLER,
        company=to.company,
        line1=to.line1,
        line2=to.line2,
        postal_code=to.postal_code,
        city=to.city,
        country=to.country,
        files=tuple(files),
        color=body.color,
        envelope=body.envelope,
        subject=body.subject,
    )


def fax(body: FaxIn, files: Sequence[File], _gathered: Gathered) -> Content:
    """Return a fax."""
    return Fax(
        to=body.to,
        to_name=body.to_name,
        file=files[0],
        cover_text=body.cover.text if body.cover else None,
        cover_template=body.cover.template if body.cover else None,
        **(body.retry.options() if body.retry else {}),
    )


def _as_html(text: str) -> str:
    lines = html.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")
    return f"<html><body><p>{lines}</p></body></html>"


def _as_text(markup: str) -> str:
    # Read with the first e-mail of HTML alone: an API that has none need not hold it.
    from inscriptis import get_text  # noqa: PLC0415
    from inscriptis.model.config import ParserConfig  # noqa: PLC0415

    text = get_text(markup, ParserConfig(display_links=True)).strip()
    # A mail of pictures alone has no text; the provider demands one.
    return text or _BLANKS.sub(" ", markup)[:200]
