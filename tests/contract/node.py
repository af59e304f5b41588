"""Node's tools for the tests, exactly as `package-lock.json` has them, in a folder that git ignores."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc")
WITHOUT = "node and npm are not on this machine: what is written in TypeScript cannot be run"


def missing() -> bool:
    return shutil.which("node") is None or shutil.which("npm") is None


def tools() -> Path:
    """Return a folder whose `node_modules` are those of the lock; installs them once."""
    held = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    folder = Path(sys.prefix) / "node" / held[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copy(HERE / name, folder)
            run(folder, "npm", "ci", "--silent")
            (folder / "installed").touch()
    return folder


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it wrote stands in the failure."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done
