"""The Java client that openapi-generator makes of the document.

Its libraries (Jackson) are those that the generator's own archive holds: nothing else is fetched.
"""

import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import DOCUMENT, RECIPIENT, TOOLS, check, generate, run
from tests.journeys.system import System

HERE = Path(__file__).parent
OPTIONS = {
    "library": "native",
    "hideGenerationTimestamp": "true",
    "openApiNullable": "false",
    "useJakartaEe": "false",
    "invokerPackage": "client",
    "apiPackage": "client.api",
    "modelPackage": "client.model",
    "enumUnknownDefaultCase": "true",
}
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # for programs that run for seconds
PARTS = "apis,models,supportingFiles,skipFormModel=false,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"


@pytest.mark.skipif(
    shutil.which("javac") is None,
    reason="no JDK is on this machine: what is written in Java cannot be run",
)
def test_the_java_client_sends_and_follows_a_message(system: System, tmp_path: Path) -> None:
    (archive,) = TOOLS.rglob("openapi-generator.jar")
    templates = tmp_path / "templates"
    templates.mkdir()
    # An annotation of a library that the archive lacks, and that tells only who generated a class.
    (templates / "generatedAnnotation.mustache").write_text("")
    generate(
        tmp_path,
        *("java", *QUICK, "-jar", str(archive), "generate", "-g", "java"),
        *("-i", str(DOCUMENT), "-o", "generated", "-t", str(templates), "--global-property", PARTS),
        *(
            "--additional-properties",
            ",".join(f"{name}={value}" for name, value in OPTIONS.items()),
        ),
    )
    sources = [str(one) for one in (tmp_path / "generated/src/main/java").rglob("*.java")]
    assert sources
    compiler = (
        "javac",
        *(f"-J{one}" for one in QUICK),
        "-nowarn",
        "-proc:none",
        "-cp",
        str(archive),
        "-d",
        "out",
    )
    generate(tmp_path, *compiler, *sources, str(HERE / "Follow.java"))

    classes = f"out:{archive}"
    given = (system.url("api"), system.key, RECIPIENT)
    told = run(tmp_path, "java", *QUICK, "-cp", classes, "Follow", *given)

    check(system, told)
