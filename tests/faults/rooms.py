"""The faults, a function each: what breaks, and what must then hold. `quick` is the part that `make ci` runs."""
import contextlib
import itertools
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid

from disk import small_disk
from load import LEAD
from proof import Proof, carried_out_unanswered
from room import Room, Skipped
from served import BINARY, ROOT, Server, environment
from store import Postgres, Sqlite, cluster
from wire import Cut, Wire, token


# A connection's state in the kernel's table.
ESTABLISHED = "01"


def kills(database, seed, quick, times=None):
    """The server is killed at random moments and started again by the same command."""
    with Room("kill", database, seed, quick) as room:
        for _ in range(times or (4 if quick else 100)):
            room.run_for(0.1, 0.8 if quick else 1.5)
            room.server.end(signal.SIGKILL)
            # Whoever is cut waits until what it left behind was judged.
            room.load.pause()
            room.start_again(room.server)
            room.judge()
    return room


def restarts(database, seed, quick, times=None):
    """PostgreSQL is stopped in immediate mode, which is a crash, and starts again; the server stays as it is."""
    with cluster() as (url, control), Room("postgres restart", database, seed, quick, cluster=url) as room:
        for _ in range(times or (2 if quick else 20)):
            room.run_for(0.3, 1)
            subprocess.run([ROOT / "scripts/postgres", "restart"], env=control, check=True)
            room.recovered(time.monotonic())
            room.judge()
    return room


def full_disk(database, seed, quick, times=None):
    """There is no room left for the database; later there is some again. The server stays as it is."""
    with contextlib.ExitStack() as held:
        disk = held.enter_context(small_disk(32 if database == "sqlite" else 256))
        if database == "sqlite":
            room, control = Room("full disk", database, seed, quick, folder=disk), None
        else:
            url, control = held.enter_context(cluster(disk))
            room = Room("full disk", database, seed, quick, cluster=url)
        with room:
            for _ in range(times or (1 if quick else 5)):
                room.run_until_acknowledged(50)
                filler, refused = pathlib.Path(disk, "filler"), room.load.unavailable
                fill(filler)
                room.wait(lambda: room.load.unavailable > refused + 5, "no write was refused for want of room")
                filler.unlink()
                if control and subprocess.run(["psql", "-X", "-q", "-d", url, "-c", "SELECT 1"], capture_output=True, check=False).returncode:
                    # PostgreSQL ends where it cannot write its log; whoever looks after it starts it again.
                    subprocess.run([ROOT / "scripts/postgres", "restart"], env=control, check=True)
                room.recovered(time.monotonic())
                room.judge()
    return room


def fill(file):
    """Takes all the room that is left."""
    with open(file, "wb", buffering=0) as full, contextlib.suppress(OSError):
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while full.write(bytes(size)):
                    pass


def moved_clock(database, seed, quick, times=None):
    """A movable clock jumps forward under load, on every other turn so far that suspensions end on the way; at times the server is away meanwhile."""
    now = time.time()
    with Room("movable clock", database, seed, quick, DPS_CLOCK=instant(now)) as room:
        # The time that an upload has runs by this clock.
        room.proof.upset = {"rejected", "partial"}
        for turn in range(times or (3 if quick else 20)):
            far, away = turn % 2 == 0, turn % 4 == 2
            room.run_until_acknowledged(20)
            if far:
                due = len(room.load.suspensions) + 2
                room.wait(lambda: len(room.load.suspensions) >= due, "nobody is suspended")
            now += 32 * 86400 if far else room.random.choice([60, 3600, 3 * 86400])
            if away:
                wake_later(room, now)
            began = time.monotonic()
            if not away:
                room.count(moved(room, now), fault=False)
            room.recovered(began)
            room.proof.now = now
            room.wait(lambda: not room.proof.overdue(), "what has fallen due is not done")
            room.judge()
    return room


def moved(room, now):
    """Moves the clock to that instant; what is wrong with the answer."""
    script = {"Authorization": f"Bearer {room.load.bearer('script', 'clock')}", "Content-Type": "application/json"}
    answer = Wire([room.server.address]).send("PUT", "/v1/clock", f'{{"now": "{instant(now)}"}}', script)
    return [] if answer.status == 200 else [f"the clock was not moved: {answer.status} {answer.body!r}"]


def wake_later(room, now):
    """The server dies and is started again at that instant, and once more while it does what has fallen due."""
    room.server.env["DPS_CLOCK"] = instant(now)
    for _ in range(2):
        room.server.end(signal.SIGKILL)
        room.start_again(room.server)
        room.run_for(0, 0.2)


def jumping_clock(database, seed, quick, times=None):
    """The machine's own clock jumps, forward and back: tokens are judged by it, limits and timeouts are not."""
    library = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
    if library is None:
        raise Skipped("libfaketime is not installed")
    room = Room("clock", database, seed, quick)
    offset = pathlib.Path(room.home.name, "offset")
    offset.write_text("+0\n")
    room.env |= {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
    # The time that an upload has runs by the clock: one under way may fail, and then nothing of it is applied.
    room.proof.upset = {"rejected", "partial"}
    room.count(limited(room.env), fault=False)
    with room:
        late = token(room.env, "script", "late", expires=time.time() + 3 * 3600)
        for jump in (["+6h", "-1d", "+0"] if quick else ["+1h", "-1h", "+0", "+6h", "-1d", "+6h", "+0", "-30d", "+0"]):
            room.run_until_acknowledged(20)
            offset.write_text(f"{jump}\n")
            room.recovered(time.monotonic())
            # A token that expires in three hours has expired where the clock is six ahead, and holds again when it is back.
            answer = Wire([room.server.address]).send("GET", "/v1/jobs", None, {"Authorization": f"Bearer {late}"})
            expected = 401 if jump == "+6h" else 200
            if answer.status != expected:
                room.count([f"at {jump} a token gets {answer.status} where {expected} is right"], fault=False)
            room.judge()
    return room


def limited(env):
    """A caller at its limit gets on after the time that it was told, however the clock jumps meanwhile."""
    found = []
    with tempfile.TemporaryDirectory(prefix="dps.") as home:
        offset = pathlib.Path(home, "offset")
        offset.write_text("+0\n")
        server = Server(env | environment(home, DPS_RATE_LIMIT="60", FAKETIME_TIMESTAMP_FILE=str(offset)))
        server.start()
        try:
            wire, caller = Wire([server.address]), {"Authorization": f"Bearer {token(server.env, 'script', 'script', expires=time.time() + 7 * 86400)}"}
            for jump in ("-1d", "+1d", "+0"):
                answers = [wire.send("GET", "/v1/jobs", None, caller) for _ in range(80)]
                refused = [answer for answer in answers if answer.status == 429]
                if not refused:
                    found.append(f"before {jump} nobody was at the limit")
                    break
                offset.write_text(f"{jump}\n")
                time.sleep(int(refused[-1].headers["retry-after"]))
                status = wire.send("GET", "/v1/jobs", None, caller).status
                if status != 200:
                    found.append(f"the clock jumped to {jump}, and who had waited got {status}")
        finally:
            server.end()
    return found


def hangs(database, seed, quick, times=None):
    """Clients that hang in each way there is; the others do not feel it, and the hanging ones are let go of."""
    with Room("hanging client", database, seed, quick, DPS_REQUEST_SECONDS="5", DPS_IDLE_SECONDS="5") as room:
        bearer = room.load.bearer("script", "hangs")
        head = f"Host: {room.server.address}\r\nAuthorization: Bearer {bearer}\r\n"
        ways = {
            "says nothing": b"",
            "stops in the header": b"GET /v1/providers HTTP/1.1\r\nHost:",
            "stops in the body": f"POST /v1/providers HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode(),
            "never reads": f"GET /v1/events?limit=200 HTTP/1.1\r\n{head}\r\n".encode() * 50,
        }
        for _ in range(times or (1 if quick else 5)):
            room.run_until_acknowledged(20)
            held = {way: [hanging(room.server.address, begins) for _ in range(20 if quick else 80)] for way, begins in ways.items()}
            room.recovered(time.monotonic())
            room.run_until_acknowledged(50)
            room.load.pause()
            found = let_go(room.server.address, held)
            for each in itertools.chain(*held.values()):
                each.close()
            room.count(found, fault=False)
            room.judge()
    return room


def hanging(address, begins):
    """A connection that sends that and no more, as much of it as is taken, and has no room for much of an answer."""
    host, port = address.split(":")
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    held.connect((host, int(port)))
    held.setblocking(False)
    if begins:
        with contextlib.suppress(BlockingIOError):
            held.send(begins)
    return held


def let_go(address, held):
    """Waits until the server has let go of all that is held, of which nobody reads anything; which it keeps."""
    ports = {each.getsockname()[1]: way for way, all in held.items() for each in all}
    stuck, until = set(), time.monotonic() + 90
    while (kept := at_server(address)).keys() & ports.keys() and time.monotonic() < until:
        stuck |= {port for port, unsent in kept.items() if unsent and ports.get(port) == "never reads"}
        time.sleep(0.2)
    found = [f"{way}: the server keeps {sum(ports.get(port) == way for port in kept)} of {len(held[way])}" for way in {ports[port] for port in kept.keys() & ports.keys()}]
    # Else it proves nothing.
    if len(stuck) < len(held["never reads"]):
        found.append(f"of those that never read, {len(held['never reads']) - len(stuck)} left nothing unsent")
    return found


def at_server(address):
    """The connections of clients that the server has still, by the client's port, each with the bytes that wait to be sent. What is closed is
    nobody's any more, though the kernel keeps what was not taken."""
    port, kept = int(address.split(":")[1]), {}
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, _, _, _, _, inode, *_ = line.split()
        if int(local.split(":")[1], 16) == port and (state == ESTABLISHED or inode != "0"):
            kept[int(remote.split(":")[1], 16)] = int(queues.split(":")[0], 16)
    return kept


def stalled(database, seed, quick, times=None):
    """The log is locked for some seconds: what needs it waits or is told to come back; who reads anything else by its id does not feel it."""
    # So many that those who wait for the log do not take them all.
    with Room("log locked", database, seed, quick, DPS_CONNECTIONS="20") as room:
        lead, wire = {"Authorization": f"Bearer {room.load.bearer(*LEAD)}"}, Wire([room.server.address])
        for _ in range(times or (1 if quick else 5)):
            room.run_until_acknowledged(20)
            room.wait(lambda: room.load.memberships, "nobody is admitted")
            found = []
            with locked(room.store, "events"):
                until = time.monotonic() + 4
                while (began := time.monotonic()) < until:
                    path = room.random.choice([f"/v1/lots/{room.load.lot}", f"/v1/providers/{room.load.providers[0]}", room.load.memberships[0]])
                    answer = wire.send("GET", path, None, lead)
                    took = time.monotonic() - began
                    if answer.status != 200 or took > 3:
                        found.append(f"GET {path}: {answer.status} after {took:.1f} s")
                writes = sum(write.answer is None for write in room.load.ledger.writes)
            room.count(found + ([] if writes else ["no write waited"]), fault=False)
            room.recovered(time.monotonic())
            room.judge()
    return room


def dry(database, seed, quick, times=None):
    """All connections wait for a lock that somebody else holds: who comes then is told to come back, and gets on when it is free."""
    with Room("pool run dry", database, seed, quick, DPS_CONNECTIONS="2") as room:
        for _ in range(times or (1 if quick else 5)):
            room.run_until_acknowledged(20)
            refused = room.load.unavailable
            with locked(room.store, "providers"):
                room.wait(lambda: room.load.unavailable > refused + 3, "nobody was told to come back")
            room.recovered(time.monotonic())
            room.judge()
    return room


@contextlib.contextmanager
def locked(store, table):
    """Holds the lock of all writing (SQLite), or of a table (PostgreSQL)."""
    if isinstance(store, Sqlite):
        connection = sqlite3.connect(store.path, isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
        connection.close()
    else:
        session = store.session()
        session.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
        session.stdin.flush()
        session.stdout.readline()
        yield
        session.stdin.close()
        session.wait()
        session.stdout.close()


def drains(database, seed, quick, times=None):
    """SIGTERM: what is under way is answered, an idle connection ends in order, a new one is refused."""
    with Room("drain", database, seed, quick) as room:
        for _ in range(times or (1 if quick else 5)):
            room.run_until_acknowledged(20)
            room.load.pause()
            provider = str(uuid.UUID(int=room.random.getrandbits(128), version=4))
            bearer = room.load.bearer("provider", f"home-{provider}", None, provider)
            headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
            busy, idle = Wire([room.server.address]), Wire([room.server.address])
            found, answers = [], []
            for wire in (busy, idle):
                wire.send("GET", "/ready")

            def register():
                try:
                    answers.append(busy.send("POST", "/v1/providers", f'{{"legalName": "Provider {provider}"}}', headers))
                except Cut as why:
                    found.append(f"what was under way was cut: {why}")

            at_work = threading.Thread(target=register)
            with locked(room.store, "providers"):
                at_work.start()
                # Until it waits for the lock: it is quick to come there, and nothing outside shows it on SQLite.
                time.sleep(0.5)
                room.server.process.terminate()
                room.wait(lambda: refuses(room.server.address), "a server that was told to end takes new connections")
            at_work.join()
            if answers and (answers[0].status != 201 or not answers[0].closes):
                found.append(f"what was under way got {answers[0].status}, and the connection {'ends' if answers[0].closes else 'is kept'}")
            try:
                if idle.connection.sock.recv(1) != b"":
                    found.append("an idle connection was told something")
            except OSError as why:
                found.append(f"an idle connection did not end in order: {why}")
            code = room.server.end()
            if code != 0:
                found.append(f"SIGTERM ended the server with {code}")
            room.start_again(room.server)
            room.count(found, fault=False)
            room.judge()
    return room


def refuses(address):
    """Whether nobody listens there."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port))).close()
        return False
    except ConnectionRefusedError:
        return True


def pair(database, seed, quick, times=None):
    """Of two servers on one database one is stopped or killed, while the clients go on at the other."""
    with Room("one of two servers", database, seed, quick, servers=2) as room:
        for turn in range(times or (2 if quick else 20)):
            how = signal.SIGKILL if turn % 2 else signal.SIGTERM
            which = (turn + turn // 2) % 2
            away, other = room.servers[which], room.servers[1 - which]
            room.run_until_acknowledged(20)
            sent = len(room.load.ledger.writes)
            began = time.monotonic()
            code = away.end(how)
            if how == signal.SIGTERM and code != 0:
                room.count([f"SIGTERM ended a server with {code}"], fault=False)
            room.recovered(began)
            room.run_until_acknowledged(20)
            room.judge(other.env)
            if how == signal.SIGTERM:
                room.count(carried_out_unanswered(room.store, room.load.ledger.writes[sent:]), fault=False)
            # Ready, or it could be told to end before it listens to that.
            room.start_again(away)
    return room


def backup(database, seed, quick, times=None):
    """A backup is made under load and restored into a new place, and a server is started on it."""
    with Room("backup and restore", database, seed, quick) as room:
        for turn in range(times or (1 if quick else 5)):
            room.run_until_acknowledged(100)
            before = [write for write in room.load.ledger.writes if write.answer is not None]
            file, place = f"{room.home.name}/backup.{turn}", pathlib.Path(room.home.name, f"place.{turn}")
            place.mkdir()
            command(room.env, "backup", file)
            room.load.pause()
            room.count(restored(room, before, file, place, 2 if quick else 10))
            room.judge()
            room.faults -= 1
    return room


def restored(room, before, file, place, kills):
    """Restores a backup and says what of `before` is not in it."""
    store = Sqlite(place) if room.database == "sqlite" else Postgres(room.store.cluster, f"{room.store.database}_{place.suffix[1:]}")
    env = room.env | {"DATABASE_URL": store.url, "DPS_LISTEN": "127.0.0.1:0"}
    copy = Server(env, f"log.{place.name}")
    try:
        began = time.monotonic()
        command(env, "restore", file)
        found = killed(room, store, env, file, time.monotonic() - began, kills)
        command(env, "audit", "verify")
        [keys] = store.rows("SELECT key FROM answers")
        keys = {key for (key,) in keys}
        lost = [write for write in before if write.key not in keys]
        room.proof.losses += len(lost)
        found += [f"{write.op} {write.key} was acknowledged before the backup and is not in it" for write in lost]
        copy.start()
        wire = Wire([copy.address])
        for write in room.random.sample(before, min(len(before), 50)):
            found += Proof(store, room.load).replay(wire, write)
        return found
    except RuntimeError as why:
        return [str(why)]
    finally:
        copy.end()
        if isinstance(store, Postgres):
            store.execute(f"DROP DATABASE {store.database} WITH (FORCE)", store.cluster)


def killed(room, store, env, file, takes, kills):
    """Kills restores over what is there at random moments: it is whole, or refused until it is restored again or put back."""
    found = []
    for turn in range(kills):
        restore = subprocess.Popen([BINARY, "restore", file, "--replace"], env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            restore.wait(room.random.uniform(0, takes))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(restore.pid, signal.SIGKILL)
        restore.wait()
        if isinstance(store, Postgres):
            store.alone()
        proved = subprocess.run([BINARY, "audit", "verify"], env=env, capture_output=True, text=True, check=False)
        if proved.returncode == 0:
            continue
        migrated = subprocess.run([BINARY, "migrate"], env=env, capture_output=True, text=True, check=False)
        for told in (proved, migrated):
            if "is not finished" not in told.stderr:
                found.append(f"a restore was killed, and is told as {told.returncode} {told.stderr[-300:]}")
        command(env, "restore", *((file, "--replace") if turn % 2 else ("--back",)))
    return found


# Migrations that run while servers write.
BESIDE_OTHERS = ("00000000000010",)


def upgrade(database, seed, quick, times=None):
    """Two servers are replaced one after the other, with a migration and its rights in between; no request is lost. Each has the role that is for it."""
    room = Room("rolling upgrade", database, seed, quick, servers=2)
    owner = room.env | {"DATABASE_URL": room.store.url_of("dps_owner")}
    for server in room.servers:
        server.env["DATABASE_URL"] = room.store.url_of("dps_app")
    room.store.give_rights()
    command(owner, "migrate")
    room.store.give_rights()
    with room:
        for _ in range(times or (1 if quick else 5)):
            # The schema without a migration that these servers do not need: old ones beside them would be as they are. It makes an index.
            for version in BESIDE_OTHERS:
                subprocess.run([BINARY.parent / "examples" / "revert", owner["DATABASE_URL"], version], check=True)
            room.run_until_acknowledged(50)
            sent, refused = len(room.load.ledger.writes), room.load.unavailable
            for turn, server in enumerate(room.servers):
                code = server.end(signal.SIGTERM)
                if code != 0:
                    room.count([f"SIGTERM ended a server with {code}"], fault=False)
                room.run_until_acknowledged(30)
                if turn == 0:
                    ran = command(owner, "migrate").split()
                    if sorted(ran) != sorted(BESIDE_OTHERS):
                        room.count([f"{BESIDE_OTHERS} were to run, and these did: {ran}"], fault=False)
                    room.run_until_acknowledged(30)
                    room.store.give_rights()
                    room.run_until_acknowledged(30)
                server.start()
                room.run_until_acknowledged(30)
            room.judge()
            found = carried_out_unanswered(room.store, room.load.ledger.writes[sent:])
            if room.load.unavailable > refused:
                found.append(f"{room.load.unavailable - refused} requests got 503")
            room.count(found, fault=False)
    return room


def command(env, *what):
    """Runs a command of the program; what it prints."""
    done = subprocess.run([BINARY, *what], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"dps {' '.join(what)}: {done.returncode} {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout


def instant(seconds):
    """An instant as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


# Each fault with the databases that can have it.
BOTH = ("sqlite", "postgres")
ROOMS = {
    "kills": (kills, BOTH),
    "restarts": (restarts, ("postgres",)),
    "full-disk": (full_disk, BOTH),
    "moved-clock": (moved_clock, BOTH),
    "jumping-clock": (jumping_clock, BOTH),
    "hangs": (hangs, BOTH),
    "stalled": (stalled, ("postgres",)),
    "dry": (dry, BOTH),
    "drains": (drains, BOTH),
    "pair": (pair, ("postgres",)),
    "backup": (backup, BOTH),
    "upgrade": (upgrade, ("postgres",)),
}
