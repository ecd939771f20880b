"""Judges what a fault left behind: over HTTP, in the database, and by the server's own verifier."""
import subprocess

from load import HOMES, Followed
from served import BINARY
from wire import Cut, Wire

# What the follower's role is shown: the rest is for other eyes only.
SHOWN = "audience NOT IN ('provider', 'administrators', 'owner')"


class Proof:
    """What one room has found so far."""

    def __init__(self, store, load, replays=None):
        # How many writes are replayed after each fault; all of them where that is not said.
        self.store, self.load, self.limit = store, load, replays
        self.losses, self.doubles, self.replayed = 0, 0, 0
        self.usual, self.followed = {}, Followed()
        # How no upload may end.
        self.upset = {"rejected", "failed", "partial"}

    def judge(self, env, whole=False):
        """All that is wrong now, in words. Call it while the load pauses; `whole` judges what was judged before once more."""
        found = list(self.load.problems)
        self.load.problems.clear()
        found += self.verified(env)
        found += self.rows(whole)
        found += self.replays(env, whole)
        found += self.feed(env, whole)
        return found

    def verified(self, env):
        told = subprocess.run([BINARY, "audit", "verify"], env=env, capture_output=True, text=True, check=False)
        return [] if told.returncode == 0 else [f"dps audit verify: {told.returncode} {told.stdout[-500:]} {told.stderr[-500:]}"]

    def rows(self, whole):
        """Events, answers, timers and uploaded rows agree, in one snapshot: each write is there whole and once, or not at all."""
        one = self.store.id
        requests, answers, timed, untimed, homes, states = self.store.rows(
            "SELECT request, count(*) FROM events WHERE request LIKE 'write-%' GROUP BY request",
            "SELECT key FROM answers WHERE key LIKE 'write-%'",
            f"SELECT {one('id')} FROM suspensions WHERE state = 'active' AND id NOT IN (SELECT aggregate_id FROM timers)",
            f"SELECT {one('id')} FROM suspensions WHERE state <> 'active' AND id IN (SELECT aggregate_id FROM timers)",
            f"SELECT {one('provider_id')}, count(*) FROM homes GROUP BY provider_id",
            f"SELECT {one('id')}, state FROM uploads",
        )
        events, answers = {request: int(count) for request, count in requests}, {key for (key,) in answers}
        found = [f"suspension {id} is active and has no timer" for (id,) in timed]
        found += [f"suspension {id} is over and has a timer" for (id,) in untimed]
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
            if answer.letter != write.answer.letter:
                return [f"{what} replayed: {answer.letter} and not {write.answer.letter}"]
            if write.answer.headers.get("location"):
                read = wire.send("GET", write.answer.headers["location"], None, {"Authorization": f"Bearer {write.bearer}"})
                if read.status != 200:
                    self.losses += 1
                    return [f"{what} was acknowledged and cannot be read: {read.status} {read.body[:300]!r}"]
        except Cut as why:
            return [f"{what} replayed: {why}"]
        return []

    def feed(self, env, whole):
        """What was followed is the feed as it stands, in its order, each event once: nothing appeared behind a cursor."""
        wire, found = Wire([env["DPS_LISTEN"]]), []
        headers = {"Authorization": f"Bearer {self.load.bearer('script', 'follower')}"}
        # The load's own follower may be at work until the load is over.
        for followed in [self.followed, self.load.followed] if whole else [self.followed]:
            last = False
            while not last:
                answer = wire.send("GET", followed.path(), None, headers)
                if answer.status != 200:
                    return [f"the feed cannot be read: {answer.status} {answer.body[:300]!r}"]
                last = followed.take(answer.json)
        wire.close()
        [stands] = self.store.rows(f"SELECT {self.store.id('id')} FROM events WHERE {SHOWN} ORDER BY tx, seq")
        stands = [id for (id,) in stands]
        for seen in (list(self.followed.seen), list(self.load.followed.seen)):
            if stands[:len(seen)] != seen:
                missed, doubled = set(stands[:len(seen)]) - set(seen), len(seen) - len(set(seen))
                self.losses += len(missed)
                self.doubles += doubled
                found.append(f"the feed that was followed differs: {len(missed)} events missed, {doubled} doubled, {len(set(seen) - set(stands))} gone")
        return found


def carried_out_unanswered(store, writes):
    """Of `writes`, those with an attempt that was carried out and not answered: a server that ends by itself leaves none."""
    [requests] = store.rows("SELECT DISTINCT request FROM events WHERE request LIKE 'write-%'")
    known = {request for (request,) in requests}
    return [f"{write.op} {write.key} was carried out and not answered" for write in list(writes) for each in write.attempts[:-1] if each in known]
