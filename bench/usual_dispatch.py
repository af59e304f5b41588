"""The usual dispatcher of SMS: the ORM row by row, and zeep in threads.

`python -m bench.usual_dispatch DATABASE-URL PROVIDER-PORT THREADS`.
"""

import sys
import threading
import time
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from zeep import Client

from bench.usual_store import ACCOUNT, EMPTY, WSDL, driven, next_message


def dispatch(url: str, port: int, threads: int) -> None:
    """Dispatch until the end."""
    engine = create_engine(driven(url), pool_size=threads)
    client = Client(WSDL)
    (binding,) = map(str, client.wsdl.bindings)
    service = client.create_service(binding, f"http://127.0.0.1:{port}/soap")
    made = [
        threading.Thread(target=_work, args=(engine, service), daemon=True) for _ in range(threads)
    ]
    for one in made:
        one.start()
    for one in made:
        one.join()


def _work(engine: Engine, service: Any) -> None:
    while True:
        with Session(engine, expire_on_commit=False) as session:
            message = session.scalar(next_message())
            if message is None:
                time.sleep(EMPTY)
                continue
            message.status = "submitting"
            session.commit()
            message.provider_id = service.ENVOYER_SMS(
                DESTINATION=message.recipient, TEXTE=message.content, **ACCOUNT
            )
            message.status = "submitted"
            session.commit()


if __name__ == "__main__":
    dispatch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
