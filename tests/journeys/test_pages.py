"""What the pages of docs/ show is what happens: each block is pasted, each answer compared."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.house.pages import DOCS, PAGES, Block, blocks, like, wild
from tests.journeys.loopback import HOST, call, free_port, wait_for

COMMANDS = Path(sys.executable).parent
RECEIVER = "receiver.py"
PATIENCE = 90.0  # seconds until a message has become what a page shows
PLACEHOLDER = re.compile(r"^[A-Z]+=\S*\.\.\.$|^GATEWAY=\S+$", re.MULTILINE)
# What shows an operator's own surroundings, or ends in a file of theirs: no part of a laptop's.
ELSEWHERE = re.compile(
    r"^export MULTICANAL_|--mode live --scopes admin \| tail -1\)\ncurl|^multicanal "
)
PREFIXES = {
    "msg": "ID",
    "bat": "BATCH",
    "doc": "DOCUMENT",
    "rep": "REPORT",
    "whe": "ENDPOINT",
    "whd": "DELIVERY",
    "cli": "CLIENT",
    "gw": "KEY_ID",
}
# What an answer shows once, and the page has its reader put into a variable.
SHOWN_ONCE = {"secret": "SECRET", "key": "NEW_KEY", "confirmation": "CONFIRMATION"}
SHOWN = ("json", "http", "text")


class Reader:
    """Somebody who pastes what a page says into a shell, beside a running `multicanal dev`."""

    def __init__(self, folder: Path, port: int, key: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": f"{COMMANDS}:{os.environ['PATH']}",
            "GATEWAY": f"http://{HOST}:{port}",
            "KEY": key,
            "COLUMNS": "200",
        }
        self._receiver_port = str(free_port())
        self._receiver: subprocess.Popen[bytes] | None = None

    def save(self, text: str) -> None:
        """Save the receiver of webhooks that a page shows."""
        (self.folder / RECEIVER).write_text(self._ours(text))

    def close(self) -> None:
        if self._receiver is not None:
            self._receiver.kill()
            self._receiver.wait()

    def heard(self) -> str:
        return (self.folder / "heard.txt").read_text()

    def _ours(self, text: str) -> str:
        return text.replace("8900", self._receiver_port)

    def _start(self) -> str:
        with (self.folder / "heard.txt").open("wb") as heard:
            self._receiver = subprocess.Popen(
                [sys.executable, RECEIVER],
                env=self.environment,
                cwd=self.folder,
                stdout=heard,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: listens(int(self._receiver_port)), self.heard, 10)
        return ""

    def paste(self, text: str) -> str:
        """Return what a block printed; the variables that it set stay set."""
        if text.strip() == f"python {RECEIVER}":
            return self._start()
        text = self._ours(text)
        script = PLACEHOLDER.sub("", text).replace(".venv/bin/", "")
        done = subprocess.run(
            ["bash", "-c", f"set -a\n{script}\necho; echo @@@@; env -0"],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        printed, _, left = done.stdout.rpartition("\n@@@@\n")
        pairs = (one.split("=", 1) for one in left.split("\0") if "=" in one)
        self.environment |= dict(pairs)
        self._note(printed)
        return printed + done.stderr

    def _note(self, printed: str) -> None:
        """Keep the id of what was made, as the page tells its reader to do."""
        try:
            found = json.loads(printed)
        except ValueError:
            return
        if not isinstance(found, dict):
            return
        if isinstance(named := found.get("id"), str):
            prefix = named.partition("_")[0]
            if prefix in PREFIXES:
                self.environment[PREFIXES[prefix]] = named
        kept = {SHOWN_ONCE[name]: found[name] for name in SHOWN_ONCE if found.get(name)}
        # Of who asks about itself, the key is the visible part of one that is known already.
        self.environment |= kept if found.get("object") != "me" else {}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, str]]:
    """Run `multicanal dev` in an empty folder; return its folder, port and key."""
    folder, port = tmp_path_factory.mktemp("pages"), free_port()
    out = folder / "printed.txt"
    with out.open("wb") as printed, (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [COMMANDS / "multicanal", "dev", "--port", str(port)],
            env={"PATH": os.environ["PATH"]},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=log,
        )
    try:
        wait_for(lambda: "API key: " in out.read_text(), (folder / "log.txt").read_text, 30)
        (key,) = re.findall(r"(?m)^API key: (\S+)$", out.read_text())
        yield folder, port, key
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


def shows(block: Block, printed: str) -> bool:
    """Say whether what was printed is what the page shows."""
    if block.language == "json":
        try:
            return like(json.loads(block.text), json.loads(printed))
        except ValueError:
            return False
    at = 0
    for line in block.text.splitlines():
        found = re.compile(f"^{wild(line)}$", re.MULTILINE | re.IGNORECASE).search(
            printed.replace("\r", ""), at
        )
        if found is None:
            return False
        at = found.end()
    return True


def only_asks(text: str) -> bool:
    """Say whether a block can be pasted again until its answer is as shown."""
    return not re.search(r"(?:^|\s)(-d|-X|--data-binary) |keys create|>", text)


def text_before(page: Path, block: Block) -> str:
    """The last lines before a block."""
    return "\n".join(page.read_text().splitlines()[block.line - 4 : block.line - 1])


def steps(page: Path) -> Iterator[tuple[Block, Block | None]]:
    """Yield what is pasted, with the answer that the page shows before it goes on."""
    every = list(blocks(page))
    for place, one in enumerate(every):
        if one.language == "python" and RECEIVER in text_before(page, one):
            yield one, None
        if one.language == "sh":
            after = every[place + 1] if place + 1 < len(every) else None
            yield one, after if after is not None and after.language in SHOWN else None


PLAYED: Sequence[Path] = [
    one
    for one in PAGES
    if any(block.language == "sh" and "curl " in block.text for block in blocks(one))
]


@pytest.mark.parametrize("page", PLAYED, ids=lambda one: one.name)
def test_what_a_page_shows_is_what_happens(page: Path, laptop: tuple[Path, int, str]) -> None:
    reader = Reader(*laptop)
    try:
        play(reader, page)
    finally:
        reader.close()


def play(reader: Reader, page: Path) -> None:
    played = 0
    for block, shown in steps(page):
        if ELSEWHERE.search(block.text):
            continue
        if block.language == "python":
            reader.save(block.text)
            continue
        printed = reader.paste(block.text)
        if shown is None:
            continue
        ends = time.monotonic() + PATIENCE
        while not shows(shown, printed) and only_asks(block.text) and time.monotonic() < ends:
            time.sleep(0.3)
            printed = reader.paste(block.text)
        assert shows(shown, printed), f"{shown} shows\n{shown.text}\nand {block} printed\n{printed}"
        played += 1

    assert played > 0


def test_the_loop_that_the_page_shows_sends_once_though_an_answer_is_lost(
    laptop: tuple[Path, int, str],
) -> None:
    (shown,) = [
        one
        for one in blocks(DOCS / "idempotency.md")
        if one.language == "python" and "def send(" in one.text
    ]
    reader = Reader(*laptop)
    body = {"to": "+33639980001", "text": "Once", "reference": "loop"}
    with forgetful(laptop[1]) as port:
        url = f"http://{HOST}:{port}/v1/sms"
        script = f"{shown.text}\nprint(send({url!r}, {laptop[2]!r}, {body!r})['id'])"
        sent = subprocess.run(
            [sys.executable, "-c", script],
            env=reader.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()

    asked = 'curl -s "$GATEWAY/v1/messages?reference=loop" -H "Authorization: Bearer $KEY"'
    assert [one["id"] for one in json.loads(reader.paste(asked))["data"]] == [sent]


@contextmanager
def forgetful(port: int) -> Iterator[int]:
    """Run what stands before a gateway, and loses its first answer; return its port."""
    lost: list[int] = []

    class Between(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = call("POST", f"http://{HOST}:{port}{self.path}", body, dict(self.headers))
            if not lost:
                lost.append(answer.status)
                return  # the connection ends without a word
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer((HOST, 0), Between) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        yield server.server_port
        server.shutdown()
        running.join()
    assert lost == [202]
