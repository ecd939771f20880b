"""What the checks need beside the program: installed where it is missing, at the versions that openapi/tools pins."""
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys

from served import ROOT, TARGET

TOOLS = ROOT / "openapi" / "tools"
WORK = TARGET / "contract"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Failed(Exception):
    """What a step printed before it failed."""


def run(*command, cwd=ROOT, env=None):
    """Runs a command and keeps what it prints to itself, unless it fails."""
    command = [str(part) for part in command]
    answer = subprocess.run(
        command, cwd=cwd, env=(env or os.environ) | QUIET, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if answer.returncode:
        raise Failed(f"{' '.join(command)}\n{answer.stdout}")
    return answer.stdout.strip()


def debian(*packages):
    """Installs Debian's packages."""
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get"):
        sys.exit(f"please install: {' '.join(packages)}")
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    run(*as_root, "apt-get", "update", "-q")
    run(*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)


def once(name, sources, make):
    """Makes what depends on those files, unless it was made from just these."""
    WORK.mkdir(parents=True, exist_ok=True)
    stamp = WORK / f"{name}.made"
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        make()
        stamp.write_text(digest)


def python(name, requirements):
    """The programs of a virtual environment with the packages of that file of openapi/tools."""
    if not importlib.util.find_spec("ensurepip"):
        debian("python3-venv")
    home = WORK / name

    def install():
        run(sys.executable, "-m", "venv", "--clear", home)
        run(home / "bin" / "pip", "install", "--quiet", "--require-hashes", "--requirement", TOOLS / requirements)

    once(name, [TOOLS / requirements], install)
    return home / "bin"
