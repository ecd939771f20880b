"""Databases of a room's own, and what stands in them, read beside the server."""
import contextlib
import os
import sqlite3
import subprocess

from served import ROOT

SEPARATOR = "\x1f"


class Sqlite:
    """A database in a file."""

    name = "sqlite"

    def __init__(self, folder):
        self.path = f"{folder}/dps.db"
        self.url = f"sqlite:{self.path}"

    def rows(self, *queries):
        """What each query gives, all of one instant."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None, timeout=30)
        try:
            connection.execute("BEGIN")
            return [[tuple(row) for row in connection.execute(query)] for query in queries]
        finally:
            connection.close()

    def execute(self, statements):
        """Runs statements."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            connection.executescript(statements)
        finally:
            connection.close()

    @staticmethod
    def id(column):
        """An identifier as text."""
        return f"lower(hex({column}))"


class Postgres:
    """A database of its own in the cluster at that address."""

    name = "postgres"

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        self.url = cluster.rsplit("/", 1)[0] + "/" + database
        self.execute(f"CREATE DATABASE {database}", cluster)

    def execute(self, statements, url=None):
        """Runs statements; what they print."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", SEPARATOR, "-v", "ON_ERROR_STOP=1", "-d", url or self.url]
        done = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout

    def url_of(self, role):
        """The database's address for a role, which has no password here."""
        return f"postgres://{role}@{self.url.split('@')[1]}"

    def give_rights(self):
        """As an operator does before and after each migration."""
        self.execute((ROOT / "deploy/postgres-roles.sql").read_text())

    def rows(self, *queries):
        """What each query gives, all of one instant."""
        script = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" + "\n\\echo ====\n".join(query + ";" for query in queries) + "\nCOMMIT;\n"
        found = self.execute(script).split("====\n")
        return [[tuple(line.split(SEPARATOR)) for line in part.splitlines()] for part in found]

    @staticmethod
    def id(column):
        """An identifier as text."""
        return f"replace({column}::text, '-', '')"

    def alone(self):
        """Returns when the database has let go of whoever was killed."""
        others = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database}' AND backend_type = 'client backend'"
        while int(self.execute(others, self.cluster)):
            pass

    def session(self):
        """A connection that stays open, for what is to be held."""
        return subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextlib.contextmanager
def cluster(folder=None):
    """A durable PostgreSQL of its own, for what breaks it: its address, and the environment in which `scripts/postgres restart` finds it."""
    env = dict(os.environ)
    if folder:
        env["TMPDIR"] = folder
    told = 'echo "$TEST_POSTGRES_URL $TEST_POSTGRES_HOME"; exec cat'
    command = [ROOT / "scripts/postgres", "run", "--durable", "--", "sh", "-c", told]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline().split()
        if len(line) != 2:
            raise RuntimeError("PostgreSQL did not start")
        yield line[0], env | {"TEST_POSTGRES_URL": line[0], "TEST_POSTGRES_HOME": line[1]}
    finally:
        process.stdin.close()
        process.wait()
