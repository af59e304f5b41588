"""Send a text message by the generated Python client, follow it, and read a problem."""

import json
import sys
import time

from multicanal_client import AuthenticatedClient
from multicanal_client.api.follow import get_message, list_events
from multicanal_client.api.send import send_sms
from multicanal_client.models import EventsOut, MessageOut, Problem, SmsIn

url, key, recipient = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)
body = SmsIn(to=recipient, text="Votre code : 1234", reference="python")

first = send_sms.sync_detailed(client=client, body=body, idempotency_key="python-1")
again = send_sms.sync_detailed(client=client, body=body, idempotency_key="python-1")
sent, repeated = first.parsed, again.parsed
assert isinstance(sent, MessageOut)
assert isinstance(repeated, MessageOut)

until = time.monotonic() + 40
message = sent
while not message.status_is_final and time.monotonic() < until:
    time.sleep(0.2)
    found = get_message.sync(sent.id, client=client)
    assert isinstance(found, MessageOut)
    message = found
events = list_events.sync(sent.id, client=client)
assert isinstance(events, EventsOut)

refused = send_sms.sync_detailed(
    client=client, body=SmsIn(to="12", text="Bonjour"), idempotency_key="python-2"
)
problem = refused.parsed
assert isinstance(problem, Problem)

print(  # noqa: T201
    json.dumps(
        {
            "accepted": first.status_code,
            "id": sent.id,
            "repeated": repeated.id,
            "replayed": again.headers.get("Idempotency-Replayed"),
            "status": message.status.value,
            "events": [one.type_ for one in events.data],
            "refused": refused.status_code,
            "code": problem.code,
            "pointers": [one.pointer for one in problem.errors],
        }
    )
)
