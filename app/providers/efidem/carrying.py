"""What the WSDL at hand cannot carry of a message, as errors in the fields of its request."""

from collections.abc import Sequence

from app.domain.errors import FieldError
from app.domain.message import Campaign, Content, Email, Sms, Submission
from app.providers.efidem import functions as efidem
from app.providers.efidem.binding import Bound
from app.providers.efidem.soap import CannotBind
from app.providers.manual import Parameter


def wrong_values(
    bound: Bound, handed: Submission[Content] | Campaign[Content]
) -> Sequence[FieldError]:
    """Return what the WSDL's types do not take: one variable too many, or a value of no list."""
    try:
        bound.arguments(handed, dict.fromkeys((one.name for one in efidem.TRIO), ""))
    except CannotBind as fault:
        detail = f"The provider's WSDL cannot carry this: {fault.why}."
        return [FieldError(_pointer(bound.function.parameters, fault.of), "not_carried", detail)]
    return []


def carries_texts_alone(content: Content) -> bool:
    """Say whether a content has neither files nor variables."""
    match content:
        case Sms():
            return not content.variables
        case Email():
            return not content.variables and not content.files
        case _:
            return False


def _pointer(parameters: Sequence[Parameter], name: str | None) -> str:
    """Return the request's field behind a parameter, or that of an object which holds it."""
    found = (one.pointer if one.name == name else _pointer(one.fields, name) for one in parameters)
    return next((one for one in found if one), "")


def cannot_carry(parameter: Parameter) -> FieldError:
    """Return what is wrong with a field for which the WSDL has no parameter."""
    detail = (
        f"The provider's WSDL has no parameter {parameter.name}: send the message without this"
        " field, or ask the operator to map it."
    )
    return FieldError(parameter.pointer or "", "not_carried", detail)
