"""123-fax: it is called by GET, downloads the document from us, and acknowledges by GET."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from app.delivery.gateway import Prepared
from app.delivery.inspect import Inspector
from app.domain.acknowledgement import Acknowledgement
from app.domain.errors import FieldError
from app.domain.message import Campaign, Channel, Content, Fax, Submission, Submitted
from app.domain.outcome import (
    Alive,
    Blocked,
    Deferred,
    Finding,
    Meant,
    NoAnswer,
    NotAskable,
    Outcome,
    Probed,
    Refused,
    Report,
    Unclear,
)
from app.providers.fax123 import acknowledgement, bindings
from app.providers.fax123.bindings import Bindings
from app.providers.fax123.documents import fitted
from app.providers.fax123.functions import HTTP_PHP, Call
from app.providers.fax123.settings import Fax123Settings
from app.providers.manual import Function, outcome_of
from app.providers.operator_file import OperatorFile
from app.providers.wire import Answered, Broken, NotSent, Wire, is_loopback

# "nombre1-ref_accuse": split at the first dash only, for a reference may hold more.
_ANSWER: Final = re.compile(r"\s*([0-9]{3})(?:-([\w.:/-]{0,100}))?\s*", re.ASCII)
NAME: Final = "fax123"
_MARKUP: Final = re.compile(r"<[^<>]{1,200}>")
_OK: Final = 200
_BEFORE_THE_PROGRAM: Final = frozenset({401, 403, 404, 405, 407})
_TOO_MANY: Final = 429


class Fax123:
    """The provider 123-fax."""

    channels: Collection[Channel] = (Channel.FAX,)
    fetches_document = True

    def __init__(
        self,
        settings: Fax123Settings,
        inspector: Inspector,
        said: OperatorFile[Bindings],
        name: str = NAME,
    ) -> None:
        self.name = name  # its simulated twin has another
        self._settings = settings
        self._said = said
        self._inspector = inspector
        self._wire = Wire(timeout=settings.timeout, concurrency=settings.concurrency)
        self.is_local = is_loopback(str(settings.url) if settings.url else None)

    async def start(self) -> None:
        """Need nothing."""

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    def function_for(self, content: Content, *, together: bool = False) -> str:
        """Return the name of the provider's one function."""
        _ = content, together
        return HTTP_PHP.name

    def carries(self, content: Content) -> bool:
        """Say no: every document is looked at."""
        _ = content
        return False

    async def prepare(self, submission: Submission[Content], *, together: bool = False) -> Prepared:
        """Check the document against the provider's limits, and make it fit."""
        _ = together  # faxes are sent one by one
        content, files = submission.content, submission.files
        if not isinstance(content, Fax):
            error = FieldError("", "channel_not_allowed", "123-fax carries faxes only.")
            return Prepared(content=content, files=files, errors=(error,))
        done = await fitted(self._inspector, content.file, files[content.file.sha256])
        if isinstance(done, FieldError):
            return Prepared(content=content, files=files, errors=(done,))
        return Prepared(
            content=replace(content, file=done.file),
            files={done.file.sha256: done.content},
            warnings=done.warnings,
        )

    async def submit(self, submission: Submission[Content]) -> Outcome:
        """Ask the provider to fetch and fax a document."""
        url = self._url(submission)
        if isinstance(url, Blocked):
            return url
        match await self._wire.get(url, may_begin=submission.may_begin):
            case NotSent(why, certificate):
                if certificate:
                    return Blocked("provider_contract", f"the certificate was refused: {why}")
                return Deferred(why)
            case Broken(why):
                return Unclear(why)
            case Answered() as answered:
                return _judged(self._said.now().function, answered, submission.reference)

    async def submit_together(self, campaign: Campaign[Content]) -> Outcome:
        """Send nothing: this provider takes one recipient at a time."""
        _ = campaign
        why = "123-fax sends to one recipient at a time"
        return Blocked("provider_contract", why, stops=False)

    async def probe(self, channel: Channel) -> Probed:
        """Call without a document and without a number: an answer proves that it is there.

        It can send nothing. It does not tell the credit, which is looked at after them.
        """
        _ = channel
        settings, missing = self._settings, self._settings.missing
        if missing or settings.password is None or settings.email is None:
            return Blocked("provider_settings", f"set {', '.join(missing)}")
        account = {"email": settings.email, "pass": settings.password.get_secret_value()}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in account.items())
        match await self._wire.get(f"{settings.url}?{query}"):
            case NotSent(why) | Broken(why):
                return NoAnswer(why)
            case Answered() as answered:
                outcome = _judged(self._said.now().function, answered, "")
                match outcome:
                    case Blocked(reason="document_unreachable") | Refused():
                        return Alive()  # it misses what was left out on purpose
                    case Blocked():
                        return outcome
                    case _:
                        return NoAnswer("the answer is none of the document's")

    def tells_each(self, function: str) -> bool:
        """Say no: there are no campaigns here."""
        _ = function
        return False

    async def ask(self, submitted: Submitted) -> Finding:
        """Say that this provider has no function that tells a status."""
        _ = submitted
        return NotAskable()

    def learn(self, brought: Acknowledgement, pages: int | None) -> Report:
        """Return what an acknowledgement means for a fax of so many pages."""
        return acknowledgement.learn(brought, pages, self._said.now().reports)

    def meaning_of(self, function: str, code: str) -> Meant | None:
        """Return what a code that was kept raw means by now, None where nobody has said it."""
        said = self._said.now()
        if function == acknowledgement.NAME:
            report = self.learn(_bare(code), None)
            return None if report.unmapped_in else report
        row = said.function.table.get(code) if function == HTTP_PHP.name else None
        return outcome_of(row) if row is not None else None

    def remedy(self, function: str, code: str) -> str:
        """Return the lines of the operator's file that would say what a code means."""
        return bindings.remedy(function, code)

    def health(self) -> Mapping[str, object]:
        """Say what is missing in the settings."""
        missing = self._settings.missing
        return {"state": "degraded" if missing else "ready", "missing": missing}

    def offers(self) -> list[dict[str, object]]:
        """Return the one function, whose parameters are the document's own."""
        return [
            {
                "function": HTTP_PHP.name,
                "operation": HTTP_PHP.name,
                "found": "documented",
                "parameters": {one.name: one.name for one in HTTP_PHP.parameters},
            }
        ]

    def _url(self, submission: Submission[Content]) -> str | Blocked:
        settings, missing = self._settings, self._settings.missing
        if missing or settings.password is None or settings.email is None:
            return Blocked("provider_settings", f"set {', '.join(missing)}")
        call = Call(
            submission=submission,  # type: ignore[arg-type] # `prepare` let no other content pass
            email=settings.email,
            password=settings.password.get_secret_value(),
            receipt_email=settings.receipt_email,
        )
        values = ((parameter.name, parameter.value(call)) for parameter in HTTP_PHP.parameters)
        # Everything is percent-encoded, as if each value held a space.
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values if value)
        return f"{settings.url}?{query}"


def _bare(code: str) -> Acknowledgement:
    """Return an acknowledgement of which nothing but its code is known."""
    return Acknowledgement(reference="", code=code, number="", pages=None, provider_time=None)


def _judged(function: Function, answered: Answered, reference: str) -> Outcome:
    """Return what an HTTP answer means: its code's row, or unclear."""
    if answered.status == _TOO_MANY:
        return Deferred("the provider answered HTTP 429", answered.wait)
    if answered.status in _BEFORE_THE_PROGRAM:
        return Blocked("provider_contract", f"the provider answered HTTP {answered.status}")
    # "La requête affiche une réponse": a page may stand around it.
    text = _MARKUP.sub("", answered.body[:4096].decode("latin-1").removeprefix("ï»¿"))
    read = _ANSWER.fullmatch(text)
    if answered.status != _OK or read is None:
        return Unclear(f"HTTP {answered.status}, and not `code-reference`")
    code, echoed = read.groups()
    answer = function.table.get(code)
    if answer is None:
        return Unclear("a code that the document does not list", code, function.name)
    # "ref_accuse est la référence du document transféré": ours, or one of the provider's own.
    return outcome_of(answer, None if echoed in {None, "", reference, "1"} else echoed)
