"""The simulator of 123-fax, over real sockets: what it answers, accepts and acknowledges."""

import hashlib
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import pikepdf
import pytest
import uvicorn

from app.providers.fax123.simulator import create_app
from app.providers.fax123.simulator.codes import EMISSION, RECEPTION
from app.providers.fax123.simulator.script import MAGIC

PACE = 0.02
PATIENCE = 5.0  # seconds
NUMBER = "019900{}"
UNGUESSABLE = "s3cr3t-t0k3n"


def pdf(pages: int, filling: int = 0) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    if filling:
        document.Root.Filling = document.make_stream(bytes(filling), compress_streams=False)
    content = BytesIO()
    document.save(content, compress_streams=False)
    return content.getvalue()


THREE_PAGES = pdf(3)
FILES = {
    "three.pdf": THREE_PAGES,
    "my fax.pdf": THREE_PAGES,
    "none.pdf": pdf(0),
    "page.html": b"<html>not a fax</html>",
    "large.pdf": pdf(1, filling=1_000_000),
    "exact.pdf": pdf(1, filling=1_000_000 - len(pdf(1)) - 200),
    "empty.pdf": b"",
}


@dataclass
class Neighbour:
    """A small web server: it serves the files, and takes the callbacks."""

    statuses: list[int] = field(default_factory=list)  # of the next callbacks; then 200
    callbacks: list[dict[str, str]] = field(default_factory=list)
    callback_queries: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = neighbour.answer(self.path)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/d/three.pdf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.path != "/broken":
                    with suppress(OSError):  # a caller may have hung up
                        self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, path: str) -> tuple[int, bytes]:
        if path.startswith("/hook"):
            query = urlsplit(path).query
            self.callback_queries.append(query)
            self.callbacks.append(dict(parse_qsl(query, strict_parsing=True)))
            self.times.append(time.monotonic())
            return (self.statuses.pop(0) if self.statuses else 200), b"ok"
        self.downloads.append(path)
        if path == "/slow":
            time.sleep(3)
        if path == "/broken":
            return 200, b"these bytes are announced and never sent"
        if path == "/moved":
            return 302, b""
        name = unquote(urlsplit(path).path).rpartition("/")[2]
        return (200, FILES[name]) if name in FILES else (404, b"")


@dataclass
class Answer:
    status: int
    body: str
    content_type: str | None


@dataclass
class Fax123:
    """A running simulator."""

    port: int
    neighbour: Neighbour

    def call(self, method: str, path: str, body: object = None) -> Answer:
        content = None if body is None else json.dumps(body)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, content)
            response = connection.getresponse()
            content_type = response.getheader("Content-Type")
            charset = response.headers.get_content_charset("utf-8")
            return Answer(response.status, response.read().decode(charset), content_type)

    def query(self, **changes: str) -> str:
        parameters = {
            "email": "me@example.com",
            "pass": "s3cr3t-p4ss",
            "fax": NUMBER.format("0001"),
            "ref": "a-1",
            "url": f"{self.neighbour.url}/d/{UNGUESSABLE}/three.pdf",
            "ref_accuse": "1",
        }
        return "/http.php?" + urlencode(parameters | changes)

    def send(self, **changes: str) -> str:
        return self.call("GET", self.query(**changes)).body

    def document(self, name: str) -> str:
        return self.send(url=f"{self.neighbour.url}/d/{UNGUESSABLE}/{quote(name)}")

    def put(self, digits: str, **outcome: object) -> int:
        return self.call("PUT", f"/outcomes/{digits}", outcome).status

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        ledger: dict[str, list[dict[str, Any]]] = json.loads(self.call("GET", "/ledger").body)
        return ledger

    def acknowledged(self, tries: int) -> list[tuple[str, str, str, int | None]]:
        """Wait for so many tries, and return all."""
        deadline = time.monotonic() + PATIENCE
        rows = self.ledger()["acknowledgements"]
        while len(rows) < tries and time.monotonic() < deadline:
            time.sleep(0.01)
            rows = self.ledger()["acknowledgements"]
        return [(row["ref"], row["etat_e"], row["nb_page"], row["http_status"]) for row in rows]


Start = Callable[..., Fax123]


@contextmanager
def running(
    neighbour: Neighbour, protocol: Literal["httptools", "h11"] = "httptools", **options: Any
) -> Iterator[Fax123]:
    """Run a simulator on a free port."""
    settings: dict[str, Any] = {"callback_url": f"{neighbour.url}/hook", "pace": PACE} | options
    config = uvicorn.Config(
        create_app(**settings), http=protocol, lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        fax123 = Fax123(listener.getsockname()[1], neighbour)
        assert fax123.call("GET", "/healthz").status == 200
        yield fax123
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    with Neighbour() as neighbour:
        yield neighbour


@pytest.fixture
def start(neighbour: Neighbour) -> Iterator[Start]:
    """Start simulators that end with the test."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(running(neighbour, *args, **options))


@pytest.fixture
def fax123(start: Start) -> Fax123:
    return start()


@pytest.fixture(scope="module")
def shared() -> Iterator[Fax123]:
    """A simulator for tests that look at nothing but the answer."""
    with Neighbour() as neighbour, running(neighbour, callback_url=None) as fax123:
        yield fax123


# --- Codes retours d'accusé d'émission ---


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("101", {"email": "", "pass": "", "url": "", "fax": ""}),
        ("102", {"pass": "", "url": "", "fax": ""}),
        ("103", {"pass": "wrong", "url": "", "fax": ""}),
        ("104", {"url": "", "fax": ""}),
        ("105", {"url": "ftp://127.0.0.1/a.pdf", "fax": ""}),
        ("106", {"fax": ""}),
        ("107", {"fax": "145678901"}),
        ("113", {}),
    ],
)
def test_the_first_wrong_field_gives_the_code(
    shared: Fax123, code: str, changes: dict[str, str]
) -> None:
    assert shared.send(**changes) == f"{code}-a-1"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("105", "missing.pdf"),
        ("109", "none.pdf"),
        ("109", "page.html"),
        ("110", "large.pdf"),
        ("111", "empty.pdf"),
        ("113", "three.pdf"),
        ("113", "exact.pdf"),
        ("113", "my fax.pdf"),
    ],
)
def test_the_document_gives_the_code(shared: Fax123, code: str, name: str) -> None:
    answer = shared.document(name)

    assert answer == f"{code}-a-1"


@pytest.mark.parametrize("code", ["108", "112"])
def test_the_codes_of_the_balance_are_staged(fax123: Fax123, code: str) -> None:
    fax123.put("0001", answer=code)

    assert fax123.send() == f"{code}-a-1"
    assert fax123.ledger()["submissions"] == []


def test_the_codes_are_those_of_the_document_in_its_order() -> None:
    assert list(EMISSION) == [str(code) for code in range(101, 114)]
    assert len(RECEPTION) == 30


def test_every_magic_etat_but_one_is_in_the_document() -> None:
    etats = {etat for script in MAGIC.values() for etat in script.etats}

    assert etats - set(RECEPTION) == {"39999"}


@pytest.mark.parametrize("path", ["/moved", "/broken", "/slow"])
def test_a_document_that_does_not_come_whole_makes_its_url_invalid(
    fax123: Fax123, path: str
) -> None:
    answer = fax123.send(url=fax123.neighbour.url + path)

    assert answer == "105-a-1"
    assert fax123.neighbour.downloads == [path]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.pdf", "http://", "a.pdf", "http://[", "\n"])
def test_an_address_where_nobody_answers_is_an_invalid_url(shared: Fax123, url: str) -> None:
    assert shared.send(url=url) == "105-a-1"


@pytest.mark.parametrize(
    ("fax", "code"),
    [
        ("01 45 67 89 01", "113"),
        ("01.45.67.89.01", "113"),
        ("00442079460000", "113"),
        ("00123456", "113"),
        ("001234567890123", "113"),
        ("0012345678901234", "107"),
        ("0012345", "107"),
        ("+33145678901", "107"),
        ("0145-678901", "107"),
        ("014567890", "107"),
        ("٠١٤٥٦٧٨٩٠١", "107"),
        (" ", "107"),
    ],
)
def test_a_number_is_dialled_from_france(shared: Fax123, fax: str, code: str) -> None:
    assert shared.send(fax=fax) == f"{code}-a-1"


def test_only_the_set_credentials_are_known(start: Start) -> None:
    fax123 = start(credentials=("me@example.com", "right"))

    assert fax123.send() == "103-a-1"
    assert fax123.send(**{"pass": "right"}) == "113-a-1"
    assert fax123.send(**{"email": "you@example.com", "pass": "right"}) == "103-a-1"


def test_parameters_that_are_missing_count_as_empty(shared: Fax123) -> None:
    assert shared.call("GET", "/http.php").body == "101-"


def test_the_answer_is_latin_html(shared: Fax123) -> None:
    answer = shared.call("GET", shared.query(ref="é-1"))

    assert answer == Answer(200, "113-é-1", "text/html; charset=iso-8859-1")


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_only_get_sends_a_fax(fax123: Fax123, method: str) -> None:
    assert fax123.call(method, fax123.query()).status == 405
    assert fax123.ledger()["submissions"] == []


def test_an_endless_query_is_refused(shared: Fax123) -> None:
    assert shared.call("GET", shared.query(ref="a" * 9_000)).status == 414


# --- Accusés de réception ---


def test_an_acknowledgement_has_the_variables_of_the_document(fax123: Fax123) -> None:
    answer = fax123.send(ref="a b&c=é/1", fax="01 99 00 00 01")

    assert answer == "113-a b&c=é/1"
    assert fax123.acknowledged(1) == [("a b&c=é/1", "0", "3", 200)]
    callback = fax123.neighbour.callbacks[0]
    assert callback.pop("heure") == time.strftime("%H:%M")
    assert callback == {
        "etat_e": "0",
        "ref_accuse": "a b&c=é/1",
        "numero": "0199000001",
        "nb_page": "3",
    }
    query = fax123.neighbour.callback_queries[0]
    assert query.startswith(
        "etat_e=0&ref_accuse=a%20b%26c%3D%C3%A9%2F1&numero=0199000001&nb_page=3"
    )


def test_heure_is_the_clock_of_the_simulator(start: Start) -> None:
    noon = time.mktime((2024, 1, 1, 12, 34, 0, 0, 0, -1))
    fax123 = start(now=lambda: noon)

    fax123.send()

    fax123.acknowledged(1)
    assert fax123.neighbour.callbacks[0]["heure"] == "12:34"
    assert fax123.ledger()["submissions"][0]["at"] == noon


def test_a_callback_that_has_a_query_keeps_it(start: Start, neighbour: Neighbour) -> None:
    fax123 = start(callback_url=f"{neighbour.url}/hook?account=7")

    fax123.send()

    fax123.acknowledged(1)
    assert neighbour.callback_queries[0].startswith("account=7&etat_e=0&")


def test_the_acknowledgement_comes_after_the_answer(start: Start) -> None:
    fax123 = start(pace=0.1)

    fax123.send()
    answered = time.monotonic()

    fax123.acknowledged(1)
    assert 0.1 < fax123.neighbour.times[0] - answered < 30


def test_without_a_callback_nothing_is_acknowledged(start: Start) -> None:
    fax123 = start(callback_url=None)

    assert fax123.send() == "113-a-1"
    time.sleep(5 * PACE)
    assert fax123.ledger()["acknowledgements"] == []


@pytest.mark.parametrize("ref_accuse", ["", "0"])
def test_without_ref_accuse_nothing_is_acknowledged(fax123: Fax123, ref_accuse: str) -> None:
    assert fax123.send(ref_accuse=ref_accuse) == "113-a-1"
    time.sleep(5 * PACE)
    assert fax123.ledger()["acknowledgements"] == []


def test_a_callback_that_fails_is_tried_again(fax123: Fax123) -> None:
    fax123.neighbour.statuses = [500, 503]

    fax123.send()

    tries = fax123.acknowledged(3)
    assert [status for *_, status in tries] == [500, 503, 200]


@pytest.mark.parametrize("refusal", [302, 404])
def test_a_callback_that_is_refused_is_not_tried_again(fax123: Fax123, refusal: int) -> None:
    fax123.neighbour.statuses = [refusal]

    fax123.send()

    fax123.acknowledged(1)
    time.sleep(5 * PACE)
    assert fax123.acknowledged(1) == [("a-1", "0", "3", refusal)]


def test_a_callback_where_nobody_listens_is_given_up_after_four_tries(start: Start) -> None:
    fax123 = start(callback_url="http://127.0.0.1:1/hook")

    fax123.send()

    fax123.acknowledged(4)
    time.sleep(5 * PACE)
    assert fax123.acknowledged(4) == [("a-1", "0", "3", None)] * 4


def test_stopping_gives_up_what_is_still_to_be_acknowledged(
    neighbour: Neighbour,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(callback_url=f"{neighbour.url}/hook")))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        Fax123(listener.getsockname()[1], neighbour).send()
        server.should_exit = True
        thread.join(1.5)

    assert not thread.is_alive()
    assert neighbour.callbacks == []


# --- Magic numbers ---


@pytest.mark.parametrize(
    ("digits", "etat_e", "nb_page"),
    [
        ("0001", "0", "3"),
        ("8901", "0", "3"),
        ("0002", "31068", "0"),
        ("0003", "31083", "0"),
        ("0009", "0", "2"),
        ("0013", "39999", "0"),
    ],
)
def test_a_magic_number_is_acknowledged_so(
    fax123: Fax123, digits: str, etat_e: str, nb_page: str
) -> None:
    answer = fax123.send(fax=NUMBER.format(digits))

    assert answer == "113-a-1"
    assert fax123.acknowledged(1) == [("a-1", etat_e, nb_page, 200)]


def test_number_0004_is_refused_at_once(fax123: Fax123) -> None:
    answer = fax123.send(fax=NUMBER.format("0004"))

    assert answer == "107-a-1"
    assert fax123.ledger() == {"submissions": [], "acknowledgements": [], "downloads": []}


def test_number_0005_is_accepted_long_before_it_is_answered(fax123: Fax123) -> None:
    answers: list[str] = []
    sender = threading.Thread(target=lambda: answers.append(fax123.send(fax=NUMBER.format("0005"))))

    started = time.monotonic()
    sender.start()
    while not fax123.ledger()["submissions"]:
        time.sleep(0.01)
    early = list(answers)
    sender.join()
    answered = time.monotonic()

    assert early == []
    assert answers == ["113-a-1"]
    assert answered - started >= 30 * PACE
    assert fax123.acknowledged(1) == [("a-1", "0", "3", 200)]
    assert fax123.neighbour.times[0] > answered


def test_number_0005_is_acknowledged_although_the_sender_hung_up(fax123: Fax123) -> None:
    with socket.create_connection(("127.0.0.1", fax123.port)) as connection:
        request = f"GET {fax123.query(fax=NUMBER.format('0005'))} HTTP/1.1\r\nHost: fax\r\n\r\n"
        connection.sendall(request.encode())
        while not fax123.ledger()["submissions"]:
            time.sleep(0.01)

    assert fax123.acknowledged(1) == [("a-1", "0", "3", 200)]


@pytest.mark.parametrize("protocol", ["httptools", "h11"])
def test_number_0006_is_accepted_and_the_connection_is_cut(start: Start, protocol: str) -> None:
    fax123 = start(protocol)

    received = exchange(fax123, fax123.query(fax=NUMBER.format("0006")))

    assert received == b""
    assert [fax["ref"] for fax in fax123.ledger()["submissions"]] == ["a-1"]
    assert fax123.acknowledged(1) == [("a-1", "0", "3", 200)]


@pytest.mark.parametrize("protocol", ["httptools", "h11"])
def test_number_0007_is_cut_and_nothing_happened(start: Start, protocol: str) -> None:
    fax123 = start(protocol)

    received = exchange(fax123, fax123.query(fax=NUMBER.format("0007")))

    assert received == b""
    assert fax123.ledger() == {"submissions": [], "acknowledgements": [], "downloads": []}
    assert fax123.neighbour.downloads == []


def exchange(fax123: Fax123, path: str) -> bytes:
    """Return every byte that comes back until the simulator ends the connection."""
    with socket.create_connection(("127.0.0.1", fax123.port), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: fax\r\n\r\n".encode())
        return connection.recv(65_536)


def test_a_client_sees_a_cut_as_a_disconnect(fax123: Fax123) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        fax123.send(fax=NUMBER.format("0006"))


def test_number_0008_is_busy_twice(fax123: Fax123) -> None:
    for number in ("0199000008", "0199000008", "0198000008", "0199000008", "0199000008"):
        assert fax123.send(fax=number, ref=number) == f"113-{number}"

    tries = fax123.acknowledged(5)
    assert sorted(tries) == [
        ("0198000008", "31064", "0", 200),
        ("0199000008", "0", "3", 200),
        ("0199000008", "0", "3", 200),
        ("0199000008", "31064", "0", 200),
        ("0199000008", "31064", "0", 200),
    ]


def test_number_0010_is_acknowledged_before_it_is_answered(fax123: Fax123) -> None:
    answer = fax123.send(fax=NUMBER.format("0010"))

    assert len(fax123.neighbour.callbacks) == 1
    assert answer == "113-a-1"
    assert fax123.acknowledged(1) == [("a-1", "0", "3", 200)]


def test_number_0011_is_acknowledged_twice_alike(fax123: Fax123) -> None:
    fax123.send(fax=NUMBER.format("0011"))

    assert fax123.acknowledged(2) == [("a-1", "0", "3", 200)] * 2
    first, second = fax123.neighbour.callbacks
    assert first | {"heure": ""} == second | {"heure": ""}


def test_number_0012_is_never_acknowledged(fax123: Fax123) -> None:
    assert fax123.send(fax=NUMBER.format("0012")) == "113-a-1"

    time.sleep(5 * PACE)
    assert fax123.ledger()["acknowledgements"] == []


# --- Ledger ---


def test_the_ledger_shows_what_was_accepted(fax123: Fax123) -> None:
    before = time.time()
    fax123.send(ref="a-1")
    fax123.document("page.html")
    fax123.send(ref="a-2", fax="00442079460001")

    ledger = fax123.ledger()

    digest = hashlib.sha256(THREE_PAGES).hexdigest()
    same = {"pages": 3, "bytes": len(THREE_PAGES), "sha256": digest, "url_path_prefix": "/d/"}
    assert all(before <= row.pop("at") <= time.time() for row in ledger["submissions"])
    assert ledger["submissions"] == [
        {"n": 1, "ref": "a-1", "fax": "0199000001"} | same,
        {"n": 2, "ref": "a-2", "fax": "00442079460001"} | same,
    ]
    assert [(row["status"], row["bytes"]) for row in ledger["downloads"]] == [
        (200, len(THREE_PAGES)),
        (200, len(FILES["page.html"])),
        (200, len(THREE_PAGES)),
    ]


def test_a_download_where_nobody_answers_is_in_the_ledger(fax123: Fax123) -> None:
    fax123.send(url="http://127.0.0.1:1/d/a.pdf")

    download = fax123.ledger()["downloads"][0]
    assert (download["status"], download["bytes"]) == (None, 0)


@pytest.mark.parametrize(("folder", "prefix"), [("", "/"), (f"/{UNGUESSABLE}", "/"), ("/d", "/d/")])
def test_no_secret_reaches_the_ledger(
    start: Start, tmp_path: Path, folder: str, prefix: str
) -> None:
    fax123 = start(ledger_path=tmp_path / "ledger.jsonl")

    fax123.send(url=f"{fax123.neighbour.url}{folder}/three.pdf?key={UNGUESSABLE}")

    shown = fax123.call("GET", "/ledger").body + (tmp_path / "ledger.jsonl").read_text()
    assert fax123.ledger()["submissions"][0]["url_path_prefix"] == prefix
    assert not [secret for secret in (UNGUESSABLE, "s3cr3t-p4ss", "me@example") if secret in shown]


@pytest.mark.parametrize("protocol", ["httptools", "h11"])
def test_no_secret_reaches_the_access_log(
    start: Start, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    fax123 = start(protocol)

    access_log = logging.getLogger("uvicorn.access")  # hands nothing on to the root
    access_log.addHandler(caplog.handler)
    with caplog.at_level("INFO"):
        fax123.send(fax="0199000013")
        fax123.call("POST", fax123.query())
        fax123.acknowledged(1)
    access_log.removeHandler(caplog.handler)

    secrets = (UNGUESSABLE, "s3cr3t", "me%40example", "me@example", "0199000013")
    assert "GET /http.php HTTP/1.1" in caplog.text
    assert not [secret for secret in secrets if secret in caplog.text]


def test_the_ledger_survives_in_its_file(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = start(ledger_path=path)
    first.send(ref="a-1", fax="0199000008")
    with path.open("a") as file:
        file.write('{"n": 2, "at')  # the machine stopped here

    second = start(ledger_path=path)
    second.send(ref="a-2", fax="0199000008")
    third = start(ledger_path=path)

    rows = third.ledger()["submissions"]
    assert [(row["n"], row["ref"]) for row in rows] == [(1, "a-1"), (2, "a-2")]
    assert [json.loads(line) for line in path.read_text().splitlines()] == rows


def test_faxes_at_the_same_time_are_all_in_the_file(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    fax123 = start(ledger_path=path)
    senders = [threading.Thread(target=fax123.send, kwargs={"ref": f"a-{n}"}) for n in range(20)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["n"] for row in rows] == list(range(1, 21))
    assert {row["ref"] for row in rows} == {f"a-{n}" for n in range(20)}


# --- Outcomes ---


@pytest.mark.parametrize(
    ("answer", "body", "downloads"),
    [
        ("103", "103-a-1", 0),
        ("105", "105-a-1", 0),
        ("106", "106-a-1", 1),
        ("109", "109-a-1", 1),
        ("113", "113-a-1", 1),
        ("999", "999-a-1", 1),
        ("<b>panne</b>", "<b>panne</b>", 1),
        ("", "", 1),
    ],
)
def test_an_answer_is_staged_in_its_place_and_nothing_is_accepted(
    fax123: Fax123, answer: str, body: str, downloads: int
) -> None:
    fax123.put("0199000001", answer=answer)

    assert fax123.send() == body
    ledger = fax123.ledger()
    assert (ledger["submissions"], len(ledger["downloads"])) == ([], downloads)


def test_an_answer_may_be_staged_although_the_fax_is_accepted(fax123: Fax123) -> None:
    fax123.put("0199000001", answer="109", accepted=True)

    assert fax123.send() == "109-a-1"
    assert len(fax123.ledger()["submissions"]) == 1
    assert fax123.acknowledged(1) == [("a-1", "0", "3", 200)]


def test_a_real_mistake_comes_before_a_staged_answer(fax123: Fax123) -> None:
    fax123.put("0001", answer="999")

    assert fax123.document("empty.pdf") == "111-a-1"


def test_an_acknowledgement_is_staged(fax123: Fax123) -> None:
    fax123.put("0001", ack="25013", nb_page="2")

    assert fax123.send() == "113-a-1"
    assert fax123.acknowledged(1) == [("a-1", "25013", "2", 200)]


def test_pages_are_staged(fax123: Fax123) -> None:
    fax123.put("0001", nb_page=2)

    fax123.send()

    assert fax123.acknowledged(1) == [("a-1", "0", "2", 200)]


def test_the_provider_may_have_references_of_its_own(fax123: Fax123) -> None:
    fax123.put("0001", echo_ref="own")

    assert fax123.send(ref="a-1") == "113-X1"
    assert fax123.send(ref="a-2") == "113-X2"
    assert fax123.document("empty.pdf") == "111-X0"
    assert {row[0] for row in fax123.acknowledged(2)} == {"X1", "X2"}
    assert [row["ref"] for row in fax123.ledger()["submissions"]] == ["a-1", "a-2"]


def test_an_outcome_keeps_the_rest_of_the_magic(fax123: Fax123) -> None:
    fax123.put("0011", ack="25013")

    fax123.send(fax=NUMBER.format("0011"))

    assert fax123.acknowledged(2) == [("a-1", "25013", "0", 200)] * 2


def test_the_longest_digits_decide(fax123: Fax123) -> None:
    fax123.put("0199000001", answer="108")
    fax123.put("0001", answer="112")

    assert fax123.send() == "108-a-1"
    assert fax123.send(fax="0198000001") == "112-a-1"
    assert fax123.send(fax="0198000014") == "113-a-1"


def test_deleted_outcomes_are_forgotten(fax123: Fax123) -> None:
    fax123.put("0001", answer="108")

    assert fax123.call("DELETE", "/outcomes").status == 204
    assert fax123.send() == "113-a-1"


@pytest.mark.parametrize(
    ("digits", "outcome", "status"),
    [
        ("0001", {"acknowledge": "0"}, 422),
        ("0001", {"echo_ref": "ours"}, 422),
        ("0001", {"answer": "x" * 20_000}, 422),
        ("x", {"ack": "0"}, 400),
        ("1" * 16, {"ack": "0"}, 400),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(
    shared: Fax123, digits: str, outcome: dict[str, object], status: int
) -> None:
    assert shared.put(digits, **outcome) == status


def test_outcomes_are_bounded(fax123: Fax123) -> None:
    for n in range(1_000):
        fax123.put(f"9{n:03}", ack="0")

    assert fax123.put("8", ack="0") == 409
    assert fax123.put("9000", ack="0") == 204
