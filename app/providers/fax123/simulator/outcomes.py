"""What a test or an operator wants to happen to faxes to a number, in place of its magic."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.providers.fax123.simulator.checks import CHECKS
from app.providers.fax123.simulator.codes import TRANSMITTED
from app.providers.fax123.simulator.script import MAGIC, ORDINARY, Script

MOST_OUTCOMES = 1_000
LONGEST_NUMBER = 15
LARGEST_BODY = 10_000


class Outcome(BaseModel):
    """The body of `PUT /outcomes/{digits}`: any of these, the rest stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    answer: str | None = Field(default=None, max_length=4_000)  # a code, or a raw text
    accepted: bool = False  # though `answer` may say otherwise
    ack: str | None = Field(default=None, max_length=20)  # `etat_e`
    nb_page: str | None = Field(default=None, max_length=20)
    echo_ref: Literal["own"] | None = None

    def change(self, script: Script) -> Script:
        """Return a number's script as this outcome changes it."""
        if self.answer is not None:
            place = None if self.accepted else refused_at(self.answer)
            script = replace(script, answer=self.answer, refused_at=place, cut=False)
        if self.ack is not None:
            script = replace(script, etats=(self.ack,))
        if self.nb_page is not None:
            script = replace(script, nb_page=self.nb_page)
        return replace(script, own_ref=self.echo_ref is not None)


def refused_at(answer: str) -> str:
    """Return where an answer has its place: at its own check, or after all of them."""
    return answer if answer in CHECKS else TRANSMITTED


class Outcomes:
    """The outcomes that are set, by a number or by its last digits."""

    def __init__(self) -> None:
        self._by_digits: dict[str, Outcome] = {}

    def script(self, number: str) -> Script:
        """Return what happens to a fax to a number; the longest digits that match decide."""
        magic = MAGIC.get(number[-4:], ORDINARY)
        for start in range(len(number)):
            outcome = self._by_digits.get(number[start:])
            if outcome is not None:
                return outcome.change(magic)
        return magic

    async def put(self, request: Request) -> Response:
        """`PUT /outcomes/{digits}`."""
        digits = request.path_params["digits"]
        if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_NUMBER):
            return JSONResponse({"error": "digits: a number, or its last digits"}, 400)
        if digits not in self._by_digits and len(self._by_digits) >= MOST_OUTCOMES:
            return JSONResponse({"error": "too many outcomes: DELETE /outcomes"}, 409)
        try:
            self._by_digits[digits] = Outcome.model_validate_json(await read_body(request))
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False)
            return JSONResponse({"error": mistakes}, 422)
        return Response(status_code=204)

    async def delete(self, _: Request) -> Response:
        """`DELETE /outcomes`: all of them."""
        self._by_digits.clear()
        return Response(status_code=204)


async def read_body(request: Request) -> bytes:
    """Read a body as far as it may reach; what is cut off is no longer JSON, and refused as such."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return b""
    return bytes(body)
