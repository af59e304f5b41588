"""Magic recipients: the recipient says how the simulator behaves, so that every case can be played.

An e-mail address says it with its local part, a number with its last four digits, a letter with
its postcode.
"""

from enum import StrEnum


class Behaviour(StrEnum):
    """How the simulator treats one message; the value is the e-mail's local part."""

    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temp-fail"
    PERMANENT_FAILURE = "perm-fail"
    REJECTED = "rejected"  # an error code at once, nothing accepted
    SLOW = "slow"  # accepted at once, answered much later
    LOST = "lost"  # accepted, then the connection is cut
    NOT_SENT = "notsent"  # the connection is cut, nothing accepted
    RETURNED = "returned"  # a letter only: delivered, then returned


_BY_LOCAL_PART = {str(behaviour): behaviour for behaviour in Behaviour}
_BY_LAST_DIGITS = {
    "0001": Behaviour.DELIVERED,
    "0002": Behaviour.TEMPORARY_FAILURE,
    "0003": Behaviour.PERMANENT_FAILURE,
    "0004": Behaviour.REJECTED,
    "0005": Behaviour.SLOW,
    "0006": Behaviour.LOST,
    "0007": Behaviour.NOT_SENT,
}
_BY_POSTCODE = {
    "99901": Behaviour.RETURNED,
    "99902": Behaviour.TEMPORARY_FAILURE,
    "99903": Behaviour.PERMANENT_FAILURE,
    "99904": Behaviour.REJECTED,
    "99905": Behaviour.SLOW,
    "99906": Behaviour.LOST,
    "99907": Behaviour.NOT_SENT,
}


def for_email(address: str) -> Behaviour:
    """Return the behaviour that an e-mail address asks for."""
    local_part = address.partition("@")[0].casefold()
    behaviour = _BY_LOCAL_PART.get(local_part, Behaviour.DELIVERED)
    return Behaviour.DELIVERED if behaviour is Behaviour.RETURNED else behaviour


def for_number(number: str) -> Behaviour:
    """Return the behaviour that a telephone number asks for."""
    return _BY_LAST_DIGITS.get(number[-4:], Behaviour.DELIVERED)


def for_postcode(postcode: str) -> Behaviour:
    """Return the behaviour that a letter's postcode asks for."""
    return _BY_POSTCODE.get(postcode, Behaviour.DELIVERED)
