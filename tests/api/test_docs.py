"""The interactive page: all that it loads comes from the gateway, and nothing runs but that."""

import hashlib
import re

import pytest

from app.api import docs
from tests.api.client import Api, problem

pytestmark = pytest.mark.anyio

# What the release swagger-ui-dist 5.35.0 holds: the files are committed as they came.
RELEASED = {
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "favicon-32x32.png": "3ed612f41e050ca5e7000cad6f1cbe7e7da39f65fca99c02e99e6591056e5837",
}


async def test_the_page_names_no_other_host_and_each_thing_that_it_loads_is_served(
    shared: Api,
) -> None:
    page = await shared.get("/docs", key=None)
    text = page.content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)

    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "://" not in text
    assert len(loaded) == 5
    kinds = {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "png": "image/png",
        "json": "application/json",
    }
    for name in loaded:
        assert not name.startswith("/")  # it works behind a prefix too
        answer = await shared.get(f"/{name}", key=None)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == kinds[name.rpartition(".")[2]]
        assert answer.content


async def test_nothing_runs_or_is_asked_but_what_the_gateway_serves(shared: Api) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js"):
        answer = await shared.get(path, key=None)
        policy = dict(
            one.strip().split(" ", 1)
            for one in answer.headers["Content-Security-Policy"].split(";")
        )

        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_itself_holds_no_script_and_no_style(shared: Api) -> None:
    text = (await shared.get("/docs", key=None)).content.decode()

    assert re.findall(r"<script(?![^>]* src=)", text) == []
    assert re.findall(r"<style|style=|\son[a-z]+=", text) == []


async def test_the_style_loads_nothing(shared: Api) -> None:
    text = (await shared.get("/docs/swagger-ui.css", key=None)).content.decode()

    assert {one[:5] for one in re.findall(r"""url\(["']?([^)]*)""", text)} == {"data:"}
    assert "@import" not in text


async def test_a_key_that_is_typed_in_is_not_kept(shared: Api) -> None:
    start = (await shared.get("/docs/start.js", key=None)).content.decode()

    assert "persistAuthorization: false" in start
    assert "validatorUrl: null" in start
    assert 'url: "openapi.json"' in start
    assert "://" not in start


async def test_nothing_else_of_the_folder_is_served(shared: Api) -> None:
    for name in ("docs.html", "LICENSE", "..%2Fdocs.py", "swagger%2FLICENSE", "%2e%2e"):
        problem(await shared.get(f"/docs/{name}", key=None), 404, "not_found")


@pytest.mark.parametrize("name", RELEASED)
async def test_the_files_are_those_of_the_release(shared: Api, name: str) -> None:
    content = (await shared.get(f"/docs/{name}", key=None)).content

    assert hashlib.sha256(content).hexdigest() == RELEASED[name]


def test_the_licence_stands_beside_them() -> None:
    folder = docs.FOLDER / "swagger"

    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "swagger-ui" in (folder / "NOTICE").read_text()
