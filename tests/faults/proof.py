"""Judges what a fault left behind: over HTTP, in the database, and by the server's own verifier."""
import subprocess
import time

from load import ADMINISTRATOR, FOLLOWER, HOMES, LEAD, Followed
from served import BINARY
from wire import Cut, Wire

# What the buying side is shown: the rest is for other eyes only.
SHOWN = "audience NOT IN ('provider', 'administrators', 'owner')"
# Seconds in which a feed must show what stands, and a webhook get on: longer than the lease of a server that is killed while it sends.
PATIENCE = 90
# How many providers' own feeds are read at the end.
PROVIDERS = 5


class Proof:
    """What one room has found so far."""

    def __init__(self, store, load, quick=False):
        self.store, self.load, self.quick = store, load, quick
        # How many writes are replayed after each fault; all of them where that is not said.
        self.limit = 40 if quick else None
        self.losses, self.doubles, self.replayed = 0, 0, 0
        self.usual, self.followed = {}, Followed()
        # How no upload may end.
        self.upset = {"rejected", "failed", "partial"}
        # The instant of a movable clock, in seconds: by the machine's own nothing falls due in time.
        self.now = 0.0

    def judge(self, env, whole=False):
        """All that is wrong now, in words. Call it while the load pauses; `whole` judges what was judged before once more."""
        found = list(self.load.problems)
        self.load.problems.clear()
        found += self.verified(env)
        found += self.rows(whole)
        found += self.replays(env, whole)
        found += self.feeds(env, whole)
        found += self.deliveries() if whole else []
        return found

    def verified(self, env):
        told = subprocess.run([BINARY, "audit", "verify"], env=env, capture_output=True, text=True, check=False)
        return [] if told.returncode == 0 else [f"dps audit verify: {told.returncode} {told.stdout[-500:]} {told.stderr[-500:]}"]

    def rows(self, whole):
        """Events, answers, timers and uploaded rows agree, in one snapshot: each write is there whole and once, or not at all."""
        one = self.store.id
        requests, answers, timed, untimed, suspended, lapses, homes, states = self.store.rows(
            "SELECT request, count(*) FROM events WHERE request LIKE 'write-%' GROUP BY request",
            "SELECT key FROM answers WHERE key LIKE 'write-%'",
            f"SELECT {one('id')} FROM suspensions WHERE state = 'active' AND id NOT IN (SELECT aggregate_id FROM timers)",
            f"SELECT {one('id')} FROM suspensions WHERE state <> 'active' AND id IN (SELECT aggregate_id FROM timers)",
            f"SELECT {one('id')}, state FROM suspensions",
            f"SELECT {one('aggregate_id')}, count(*) FROM events WHERE kind = 'SuspensionLapsed' GROUP BY aggregate_id",
            f"SELECT {one('provider_id')}, count(*) FROM homes GROUP BY provider_id",
            f"SELECT {one('id')}, state FROM uploads",
        )
        events, answers = {request: int(count) for request, count in requests}, {key for (key,) in answers}
        found = [f"suspension {id} is active and has no timer" for (id,) in timed]
        found += [f"suspension {id} is over and has a timer" for (id,) in untimed]
        found += self.lapsed(dict(suspended), {id: int(count) for id, count in lapses})
        for write in list(self.load.ledger.writes):
            if write.answer is None or not write.judged or whole:
                found += self.write(write, [events[each] for each in write.attempts if each in events], write.key in answers)
        found += [f"provider {id} has {count} of {HOMES} homes" for id, count in homes if int(count) != HOMES]
        states, held = dict(states), {id for id, _ in homes}
        for id, (provider, _) in list(self.load.uploads.items()):
            state, provider = states.get(id.replace("-", "")), provider.replace("-", "")
            if state is None:
                self.losses += 1
                found.append(f"upload {id} is lost")
            elif (state == "applied") != (provider in held):
                found.append(f"upload {id} is {state}, and its homes are {'there' if provider in held else 'not there'}")
            elif state in self.upset:
                found.append(f"upload {id} is {state}")
        return found

    def lapsed(self, states, lapses):
        """What has fallen due was done, once."""
        found = []
        for id, state in states.items():
            count = lapses.get(id, 0)
            self.doubles += count > 1
            if count != (state == "lapsed"):
                found.append(f"suspension {id} is {state} and lapsed {count} times")
            elif state == "active" and self.is_due(id):
                self.losses += 1
                found.append(f"suspension {id} was to lapse and did not")
        return found

    def is_due(self, suspension):
        return self.load.suspensions.get(suspension, float("inf")) <= self.now

    def overdue(self):
        """Whether something that has fallen due is not done yet."""
        [active] = self.store.rows(f"SELECT {self.store.id('id')} FROM suspensions WHERE state = 'active'")
        return any(self.is_due(id) for (id,) in active)

    def write(self, write, counts, answered):
        """One write. A write that nobody acknowledged may be there, and then it is whole: its events and its answer."""
        what = f"{write.op} {write.key} ({len(write.attempts)} attempts)"
        if len(counts) > 1:
            self.doubles += 1
            return [f"{what} was carried out {len(counts)} times"]
        if answered != bool(counts):
            return [f"{what} is half there: {counts} events, its answer is {'' if answered else 'not '}kept"]
        if write.answer is None:
            return []
        if not answered:
            self.losses += 1
            return [f"{what} was acknowledged and is lost"]
        # Each sort of write makes as many events each time; the rows of an upload come later.
        if write.op != "upload" and self.usual.setdefault(write.op, counts[0]) != counts[0]:
            return [f"{what} has {counts[0]} events where {self.usual[write.op]} are usual"]
        return []

    def replays(self, env, whole):
        """What was acknowledged is answered again to the letter under its key, and can be read."""
        wire, found, due = Wire([env["DPS_LISTEN"]]), [], []
        for write in list(self.load.ledger.writes):
            # All of the whole would take as long as the load took.
            if write.answer is not None and (not write.judged or (whole and self.load.random.random() < 0.1)):
                due.append(write)
                write.judged = True
        # Those first that met the fault.
        due.sort(key=lambda write: len(write.attempts), reverse=True)
        for write in due[:self.limit]:
            found += self.replay(wire, write)
        wire.close()
        return found

    def replay(self, wire, write):
        what = f"{write.op} {write.key}"
        try:
            answer = wire.send(write.method, write.path, write.body, write.again(f"{write.key}.replay"))
            self.replayed += 1
            if not answer.repeats(write.answer):
                return [f"{what} replayed: {answer.letter} and not {write.answer.letter}"]
            if write.answer.headers.get("location"):
                read = wire.send("GET", write.answer.headers["location"], None, {"Authorization": f"Bearer {write.bearer}"})
                if read.status != 200:
                    self.losses += 1
                    return [f"{what} was acknowledged and cannot be read: {read.status} {read.body[:300]!r}"]
        except Cut as why:
            return [f"{what} replayed: {why}"]
        return []

    def feeds(self, env, whole):
        """Each feed is what stands for its reader."""
        found = self.follow(env, FOLLOWER, SHOWN, self.followed)
        if not whole:
            # The load's own follower may be at work until the load is over.
            return found + self.compare("the load's follower", SHOWN, [], self.load.followed.seen)
        found += self.follow(env, FOLLOWER, SHOWN, self.load.followed)
        found += self.follow(env, LEAD, SHOWN, Followed())
        found += self.follow(env, ADMINISTRATOR, "audience = 'administrators'", Followed())
        for provider in self.load.random.sample(self.load.providers, min(len(self.load.providers), PROVIDERS)):
            own = f"{self.store.id('provider_id')} = '{provider.replace('-', '')}' AND audience <> 'buyers'"
            found += self.follow(env, self.load.provider(provider), f"({own} OR audience = 'everyone' AND provider_id IS NULL)", Followed())
        return found

    def follow(self, env, who, shown, followed):
        """Follows a feed until it has shown all that stood when this began."""
        wire, headers, stood = Wire([env["DPS_LISTEN"]]), {"Authorization": f"Bearer {self.load.bearer(*who)}"}, self.stands(shown)
        until, last = time.monotonic() + PATIENCE, False
        # What stands is shown when no older transaction of the whole cluster is under way.
        while not last or (not set(stood) <= set(followed.seen) and time.monotonic() < until):
            if last:
                time.sleep(0.1)
            answer = wire.send("GET", followed.path(), None, headers)
            if answer.status != 200:
                return [f"the feed cannot be read: {answer.status} {answer.body[:300]!r}"]
            last = followed.take(answer.json)
        wire.close()
        return self.compare(f"{who[0]} {who[1]}", shown, stood, followed.seen)

    def deliveries(self):
        """Each event was sent to who has the feed sent, at least once, in the order of the feed; nothing else was."""
        seen, stood = self.load.receiver.seen, self.stands(SHOWN)
        if self.quick:
            self.pass_a_minute()
        came, until = len(seen), time.monotonic() + PATIENCE
        while not set(stood) <= set(seen) and time.monotonic() < until:
            time.sleep(0.1)
            if len(seen) > came:
                came, until = len(seen), time.monotonic() + PATIENCE
        return self.compare("the webhook's receiver", SHOWN, stood, list(dict.fromkeys(seen)))

    def pass_a_minute(self):
        """Whoever was killed while it sent has its lease no more."""
        self.store.execute("DELETE FROM leases WHERE name LIKE 'webhook/%'")

    def stands(self, shown):
        """The ids of the events of a feed, in its order."""
        [stands] = self.store.rows(f"SELECT {self.store.id('id')} FROM events WHERE {shown} ORDER BY tx, seq")
        return [id for (id,) in stands]

    def compare(self, who, shown, stood, seen):
        """`seen` is the feed from its beginning up to some place, each event once, and has all that `stood`: nothing appeared behind a cursor."""
        stands = self.stands(shown)
        missed = (set(stood) | set(stands[:len(seen)])) - set(seen)
        if seen == stands[:len(seen)] and not missed:
            return []
        doubled = len(seen) - len(set(seen))
        self.losses += len(missed)
        self.doubles += doubled
        return [f"{who} saw another feed than stands: {len(missed)} events missed, {doubled} doubled, {len(set(seen) - set(stands))} unknown"]


def carried_out_unanswered(store, writes):
    """Of `writes`, those with an attempt that was carried out and not answered: a server that ends by itself leaves none."""
    [requests] = store.rows("SELECT DISTINCT request FROM events WHERE request LIKE 'write-%'")
    known = {request for (request,) in requests}
    return [f"{write.op} {write.key} was carried out and not answered" for write in list(writes) for each in write.attempts[:-1] if each in known]
