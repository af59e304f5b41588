"""A server that hands over Efidem's WSDL as the simulator's, or changed as a test says."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.journeys.loopback import HOST, call

Change = Callable[[bytes], bytes]


class Handing:
    """The server; closed, it is an address at which nobody answers."""

    def __init__(self, port: int, simulator: str) -> None:
        self.url = f"http://{HOST}:{port}/efidem.wsdl"
        self.change: Change = bytes
        self._port = port
        self._simulator = simulator
        self._server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        handing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = call("GET", f"{handing._simulator}/efidem.wsdl")
                body = handing.change(asked.content)
                self.send_response(asked.status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, self._port), Handler)
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
