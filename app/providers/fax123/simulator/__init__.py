"""A simulator of the fax provider 123-fax, written from its document alone, over real sockets.

It shares nothing with our own client: two readings of one document, or an error in one is
confirmed by the other. Any uvicorn serves it: `uvicorn.run(create_app(callback_url=...))`.
"""

from app.providers.fax123.simulator.application import create_app

__all__ = ["create_app"]
