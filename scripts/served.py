"""A server for a check: the binary that was built, on a fresh SQLite database and a free port. The tour, the contract and the attacks on it use it."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BINARY = TARGET / "debug" / "dps"


@contextlib.contextmanager
def serving(clock, before=None, **settings):
    """Serves with the clock at that instant and those settings, once `before` has had the environment. Gives the environment of a caller:
    DPS_LISTEN has the address, HOME_OF_CHECK a folder of its own."""
    if not BINARY.is_file():
        sys.exit(f"there is no {BINARY}: cargo build -p dps")
    with tempfile.TemporaryDirectory(prefix="dps.") as home:
        # Nothing of the caller's configuration may reach the server.
        clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL" and not name.startswith("DPS_")}
        env = clean | {
            "CARGO_TARGET_DIR": str(TARGET),
            "DATABASE_URL": f"sqlite:{home}/dps.db",
            "DPS_TOKEN_KEY_FILE": f"{home}/token.key",
            "DPS_CLOCK": clock,
            # A free port, which the server itself finds and prints.
            "DPS_LISTEN": "127.0.0.1:0",
            "HOME_OF_CHECK": home,
        } | settings
        if before:
            before(env)
        with open(f"{home}/log", "w") as log:
            server = subprocess.Popen([BINARY, "serve"], env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            address = re.fullmatch(r"dps serves +http://(\S+)\n", server.stdout.readline())
            if not address:
                sys.exit(f"the server did not start\n{pathlib.Path(home, 'log').read_text()}")
            env["DPS_LISTEN"] = address[1]
            yield env
        finally:
            server.terminate()
            server.wait()
