"""The API's interactive page: Swagger UI from our own files, which works without the Internet.

Its version is swagger-ui-dist 5.35.0, unchanged; LICENSE and NOTICE stand beside it.
"""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

from app.domain.errors import NotFound

router = APIRouter(include_in_schema=False)

FOLDER: Final = Path(__file__).with_name("static")
# What the page loads: name, file, type.
_ASSETS: Final = {
    "swagger-ui.css": ("swagger/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("swagger/swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": ("swagger/favicon-32x32.png", "image/png"),
    "start.js": ("start.js", "text/javascript"),
}
_HEADERS: Final = {
    # Only what this gateway serves runs, styles or is asked; pictures may stand in the style.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=3600",
}


@router.get("/docs")
async def show_docs() -> FileResponse:
    """Send the page."""
    return FileResponse(FOLDER / "docs.html", media_type="text/html", headers=_HEADERS)


@router.get("/docs/{name}")
async def get_asset(name: str) -> FileResponse:
    """Send what the page loads, and nothing else of the folder."""
    if name not in _ASSETS:
        raise NotFound
    file, media_type = _ASSETS[name]
    return FileResponse(FOLDER / file, media_type=media_type, headers=_HEADERS)
