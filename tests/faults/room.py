"""A room: a database, a server on it, a load, and the judgement after each fault."""
import contextlib
import os
import random
import socket
import tempfile
import time

from load import Load
from proof import Proof
from served import Server, environment
from store import Postgres, Sqlite
from wire import Wire

# What a server has to come back in, in seconds, before the room gives up.
PATIENCE = 60


def free_port():
    """A port below those that the kernel gives to clients: while a server is away, no client may connect to itself on its port."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


class Skipped(Exception):
    """This machine cannot have that fault; why."""


class Room:
    """`name` and what it saw. Use it as a context; the load runs inside."""

    def __init__(self, name, database, seed, quick=False, cluster=None, servers=1, folder=None, providers=3, programs=None, **settings):
        self.name, self.database = name, database
        self.home = tempfile.TemporaryDirectory(prefix="dps.")
        self.random = random.Random(f"{seed} {name}")
        folder = folder or self.home.name
        cluster = cluster or os.environ.get("TEST_POSTGRES_URL")
        self.store = Sqlite(folder) if database == "sqlite" else Postgres(cluster, f"faults_{os.getpid()}_{self.random.getrandbits(32):08x}")
        settings = {"DATABASE_URL": self.store.url, "DPS_RATE_LIMIT": "0", "DPS_LOG": "warn", "DPS_WEBHOOK_PRIVATE": "allow"} | settings
        self.servers = []
        for n in range(servers):
            env = environment(self.home.name, **settings, DPS_LISTEN=f"127.0.0.1:{free_port()}")
            self.servers.append(Server(env, f"log.{n}", *([programs[n]] if programs else [])))
        self.server, self.env = self.servers[0], self.servers[0].env
        self.load = Load(self.env, [server.address for server in self.servers], self.home.name, self.random.random(), providers)
        self.proof = Proof(self.store, self.load, quick)
        self.faults, self.failed, self.longest = 0, 0, 0.0
        self.findings = []

    def __enter__(self):
        try:
            for server in self.servers:
                server.start()
            self.load.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, why, trace):
        try:
            if kind is None:
                self.load.stop()
                self.count(self.proof.judge(self.env, whole=True), fault=False)
        finally:
            self.close()

    def close(self):
        self.load.over.set()
        self.load.gate.set()
        for server in self.servers:
            server.end()
        self.load.receiver.close()
        for server in self.servers:
            for line in server.log.read_text().splitlines() if server.log.exists() else []:
                # A defect, by the server's own account; a panic is no line of its log.
                if '"level":"ERROR"' in line or not line.startswith("{"):
                    self.findings.append(f"logged: {line[:400]}")
                    self.failed += 1
        if isinstance(self.store, Postgres):
            with contextlib.suppress(RuntimeError):
                self.store.execute(f"DROP DATABASE {self.store.database} WITH (FORCE)", self.store.cluster)
        self.home.cleanup()

    # Faults.

    def run_for(self, least, most):
        """Lets the load run for a time between those, in seconds."""
        time.sleep(self.random.uniform(least, most))

    def run_until_acknowledged(self, writes):
        """Lets the load run until it had so many more writes acknowledged."""
        aim = self.acknowledged() + writes
        self.wait(lambda: self.acknowledged() >= aim, "the load stands still")

    def wait(self, until, otherwise):
        """Waits until that holds."""
        end = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > end:
                raise RuntimeError(f"{otherwise} {self.load.problems}")
            time.sleep(0.005)

    def start_again(self, server):
        """Starts a server that was killed, by the same command, and takes the time until it says that it is ready."""
        began = time.monotonic()
        server.start()
        wire = Wire([server.address])
        self.wait(lambda: wire.send("GET", "/ready").status == 200, "the server is not ready")
        wire.close()
        self.longest = max(self.longest, time.monotonic() - began)
        # So that it sends, and the next one is killed while it does.
        self.proof.pass_a_minute()

    def acknowledged(self):
        return sum(write.answer is not None for write in self.load.ledger.writes)

    def recovered(self, since):
        """Waits for the first write that is acknowledged after the fault has ended, which is `since`."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            # The newest writes are at the end, but for those that waited.
            last = [write.acknowledged_at for write in self.load.ledger.writes[-50:] if write.answer is not None]
            if last and max(last) > since:
                self.longest = max(self.longest, max(0.0, min(at for at in last if at > since) - since))
                return
            time.sleep(0.005)
        self.count([f"no write was acknowledged within {PATIENCE} s of the end of the fault"], fault=False)

    def judge(self, env=None):
        """Judges a fault that is over: the load pauses meanwhile."""
        self.load.pause()
        found = self.proof.judge(env or self.env)
        self.load.resume()
        self.count(found)

    def count(self, found, fault=True):
        self.faults += fault
        self.failed += bool(found)
        self.findings += found

    def said(self):
        """The figures of the room."""
        writes = self.load.ledger.writes
        return {
            "room": self.name, "database": self.database, "faults": self.faults, "failed": self.failed,
            "operations": self.load.operations, "acknowledged": self.acknowledged(),
            "retried": sum(len(write.attempts) > 1 for write in writes), "replayed": self.proof.replayed,
            "cut": self.load.cuts, "unavailable": self.load.unavailable,
            "losses": self.proof.losses, "doubles": self.proof.doubles, "recovery": round(self.longest, 2),
            "findings": self.findings[:20],
        }
