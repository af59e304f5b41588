"""Say what a message would take, and whether it would be taken: nothing is kept, nobody called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api import bodies, contents
from app.api.access import Caller
from app.api.addressing import addressed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.estimate_shapes import (
    ChannelIn,
    EmailEstimateIn,
    EstimateIn,
    EstimateOut,
    FaxEstimateIn,
    LetterEstimateIn,
    SmsEstimateIn,
)
from app.api.gather import Gathered, gather_files
from app.api.hindrances import no_room, repeated, used_today
from app.api.openapi import takes
from app.api.schemas import Common
from app.api.sending import EMAIL, FAX, LETTER, SMS, Drafted, Sending, draft, provider_of
from app.domain.errors import FieldError, RecipientNotInTeamList, ValidationFailed
from app.domain.message import Channel, Fax, Sms
from app.domain.postal import lines_of
from app.domain.segments import measure, outside
from app.domain.twins import public_name

router = APIRouter(prefix="/v1", tags=["send"])

_MOST_CHARACTERS: Final = 100  # that are named: the answer must not grow with what was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What is known of a message that nobody sends."""

    errors: Sequence[FieldError]
    warnings: Sequence[str] = ()
    body: Common | None = None  # None: a field is wrong
    provider: str | None = None
    drafted: Drafted | None = None  # None: it would be refused


@router.post("/estimates", response_model=EstimateOut, openapi_extra=takes(EstimateIn))
async def estimate_message(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Say what a message would take, and why it would be refused; nothing is kept or sent."""
    value = await bodies.read_json(request, edge.body_limit)
    channel = bodies.validated(ChannelIn, value).channel
    edge.access.may_send(caller, channel)
    daily = caller.quota_of(channel)
    used = await used_today(edge, caller, channel) if daily is not None else None
    looked = await _looked_at(channel, edge, caller, value)
    errors = [*looked.errors, *await _hindrances(edge, caller, looked, used)]
    units = looked.drafted.row["units"] if looked.drafted else None
    content: dict[str, Any] = {
        "object": "estimate",
        "channel": channel,
        "valid": not errors,
        "errors": [
            {"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in errors
        ],
        "warnings": list(looked.warnings),
        "provider": looked.provider and public_name(looked.provider),
        "recipients": _recipients(looked.body),
        **{one.value: None for one in Channel},
        "cost": {"estimated": None, "segments_or_pages": units, "final": False},
        "quota": _quota(channel, daily, used),
    }
    if looked.body is not None:
        content[channel] = _TAKES[channel](looked.body, looked.drafted)
    return JSONResponse(content)


async def _looked_at(channel: Channel, edge: Edge, caller: Caller, value: object) -> _Looked:
    """Check a message as a send does; what a send answers as 422 is an answer here."""
    sending, model = _CHANNELS[channel]
    try:
        body = bodies.validated(model, value)
    except ValidationFailed as fault:
        return _Looked(errors=fault.errors)
    provider = edge.access.carrier(caller, provider_of(sending, edge, body))
    team = await edge.team.checking(caller)
    team.note(body)
    files, gathered = await gather_files(
        edge.gateway,
        caller.client_id,
        sending.files(body),
        limit=edge.attachment_limit,
        pdf_only=sending.pdf_only,
    )
    drafted = await draft(sending, edge, caller, body, (files, gathered))
    errors = [] if drafted else gathered.errors
    try:
        team.close()
    except RecipientNotInTeamList as fault:
        errors = [*fault.errors, *errors]
    return _Looked(
        errors=bodies.failed(errors).errors,
        warnings=drafted.row["warnings"] if drafted else gathered.warnings,
        body=body,
        provider=provider,
        drafted=drafted,
    )


async def _hindrances(
    edge: Edge, caller: Caller, looked: _Looked, used: int | None
) -> list[FieldError]:
    """Return what would keep it out that is not wrong with it: asked last, as a send does."""
    if looked.body is None:
        return []
    found = list(await repeated(edge, caller, looked.body.reference))
    if looked.drafted is not None:
        room = await no_room(edge, caller, looked.drafted.row, used)
        found += [room] if room else []
    return found


def _quota(channel: Channel, daily: int | None, used: int | None) -> dict[str, Any] | None:
    """Return what is left of a client's quota today, None where it has none."""
    if daily is None or used is None:
        return None
    return {"channel": channel, "daily": daily, "used": used, "left": max(0, daily - used)}


def _recipients(body: Common | None) -> list[str]:
    match body:
        case EmailEstimateIn():
            return [one.address for one in (*body.to, *body.cc)]
        case SmsEstimateIn() | FaxEstimateIn():
            return [body.to]
        case _:
            return []


def _sms(body: SmsEstimateIn, drafted: Drafted | None) -> dict[str, Any]:
    """Measure the text that would be sent; of one that is refused, the text that was given."""
    text = drafted.content.text if drafted and isinstance(drafted.content, Sms) else body.text
    measured = measure(text)
    return {
        "text": text,
        "encoding": measured.encoding,
        "units": measured.units,
        "segments": measured.parts,
        "remaining": measured.remaining,
        "characters_forcing_ucs2": [
            {
                "character": one.character,
                "name": one.name,
                "position": one.places[0],
                "count": len(one.places),
            }
            for one in outside(text)[:_MOST_CHARACTERS]
        ],
    }


def _letter(body: LetterEstimateIn, drafted: Drafted | None) -> dict[str, Any]:
    lines = lines_of(addressed(body.to, Gathered()))
    return {
        "pages": drafted.row["units"] if drafted else None,
        "address_lines": [line.text for line in lines],
    }


def _fax(_body: FaxEstimateIn, drafted: Drafted | None) -> dict[str, Any]:
    content = drafted.content if drafted else None
    return {
        "pages": drafted.row["units"] if drafted else None,
        "size": content.file.size if isinstance(content, Fax) else None,
    }


def _email(body: EmailEstimateIn, drafted: Drafted | None) -> dict[str, Any]:
    return {
        "size": drafted.row["size"] if drafted else None,
        "route": "relay" if contents.takes_relay(body) else "transactional",
    }


_CHANNELS: Final[Mapping[Channel, tuple[Sending[Any], type[Common]]]] = {
    Channel.EMAIL: (EMAIL, EmailEstimateIn),
    Channel.SMS: (SMS, SmsEstimateIn),
    Channel.LETTER: (LETTER, LetterEstimateIn),
    Channel.FAX: (FAX, FaxEstimateIn),
}
_TAKES: Final[Mapping[Channel, Callable[[Any, Drafted | None], dict[str, Any]]]] = {
    Channel.EMAIL: _email,
    Channel.SMS: _sms,
    Channel.LETTER: _letter,
    Channel.FAX: _fax,
}
