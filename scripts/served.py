"""Servers for checks: the binary that was built, with nothing of the caller's configuration. The tour, the contract, the attacks and the faults use it."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BINARY = TARGET / "debug" / "dps"


def environment(home, **settings):
    """The environment of a server, and of the commands beside it, whose files are in the folder `home`: on SQLite and a free port, where
    `settings` do not say otherwise."""
    if not BINARY.is_file():
        sys.exit(f"there is no {BINARY}: cargo build -p dps")
    # Nothing of the caller's configuration may reach the server.
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL" and not name.startswith("DPS_")}
    return clean | {
        "CARGO_TARGET_DIR": str(TARGET),
        "DATABASE_URL": f"sqlite:{home}/dps.db",
        "DPS_TOKEN_KEY_FILE": f"{home}/token.key",
        "DPS_SEAL_KEY_FILE": f"{home}/seal.key",
        # A free port, which the server itself finds and prints.
        "DPS_LISTEN": "127.0.0.1:0",
        "HOME_OF_CHECK": str(home),
    } | settings


class Server:
    """A server that can be ended and started again. `env["DPS_LISTEN"]` has its address once it has started."""

    def __init__(self, env, log="log", program=BINARY):
        self.env, self.program = env, program
        self.log = pathlib.Path(env["HOME_OF_CHECK"], log)
        self.process = None

    def start(self):
        """Starts it, and returns when it has bound its address."""
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.program, "serve"], env=self.env, stdout=subprocess.PIPE, stderr=log, text=True)
        address = re.fullmatch(r"dps serves +http://(\S+)\n", self.process.stdout.readline())
        if not address:
            self.end(signal.SIGKILL)
            raise RuntimeError(f"the server did not start\n{self.log.read_text()[-2000:]}")
        self.env["DPS_LISTEN"] = address[1]

    @property
    def address(self):
        """Its host and port."""
        return self.env["DPS_LISTEN"]

    def end(self, how=signal.SIGTERM):
        """Ends it by that signal; its exit code. Nothing where it does not run."""
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        return code


@contextlib.contextmanager
def serving(clock, before=None, **settings):
    """Serves with the clock at that instant and those settings, once `before` has had the environment. Gives the environment of a caller:
    DPS_LISTEN has the address, HOME_OF_CHECK a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="dps.") as home:
        server = Server(environment(home, DPS_CLOCK=clock, **settings))
        if before:
            before(server.env)
        try:
            try:
                server.start()
            except RuntimeError as why:
                sys.exit(str(why))
            yield server.env
        finally:
            server.end()
