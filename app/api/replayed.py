"""Give the first answer to an Idempotency-Key again, byte for byte.

The key of a single message keeps no copy of it: what a new message is shown by never changes, and
so the answer is made again from the message's row.
"""

from dataclasses import replace

from sqlalchemy import RowMapping

from app.api import answers
from app.delivery import accept
from app.delivery.accept import Answer, Key
from app.store.idempotency import first_row


def replayed(record: RowMapping, key: Key) -> Answer:
    """Return the first answer to a key; refuse a key that came with another request."""
    answer = accept.replay(record, key)
    if answer.body and answer.location:
        return answer
    if answer.body:  # of who waited for the provider: what was said then was written beside
        return replace(answer, location=answers.message_location(record["object_id"]))
    told = answers.message(first_row(record))
    return replace(answer, location=told["links"]["self"], body=answers.written(told))
