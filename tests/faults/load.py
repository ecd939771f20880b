"""A mixed load: providers that register, apply and submit, officers that judge, admit and suspend, uploads, readers, one who follows the feed and
one who has it sent."""
import datetime
import json
import queue
import random
import threading
import time
import uuid

from hook import Receiver
from ledger import Ledger
from wire import Cut, Wire, token

HOMES = 25
REQUIREMENT = {
    "title": "Children are kept safe", "test": {"kind": "manual"}, "gate": "membership", "mandatory": True, "selfAssessable": False,
    "questions": [{"code": "lead", "text": "Who leads?", "answer": {"type": "text", "maxLength": 200}, "mandatory": True}],
}
OVER = {"applied", "partial", "rejected", "failed"}
FOLLOWER, LEAD, ADMINISTRATOR = ("script", "follower"), ("lead_agency", "lead", "LGSS"), ("administrator", "admin")


class Stop(Exception):
    """The load is over."""


class Load:
    """Clients of the servers at `addresses`. What they find wrong is in `problems`."""

    def __init__(self, env, addresses, home, seed, providers=3, officers=1):
        self.env, self.addresses = env, addresses
        self.ledger = Ledger(f"{home}/ledger")
        self.random = random.Random(seed)
        self.problems, self.operations, self.cuts, self.unavailable, self.resent = [], 0, 0, 0, 0
        self.followed, self.receiver = Followed(), Receiver()
        self.uploads, self.memberships, self.providers = {}, [], []
        # Those that nobody lifts, each with its end in seconds.
        self.suspensions = {}
        self.submitted = queue.Queue()
        self.over, self.lock = threading.Event(), threading.Lock()
        # Clients that were cut wait here while what a fault left behind is judged.
        self.gate = threading.Event()
        self.gate.set()
        self.busy = 0
        self.bearers = {}
        jobs = [self.provide] * providers + [self.judge] * officers + [self.upload, self.read, self.follow, self.administer]
        self.threads = [threading.Thread(target=self.client, args=(job, n), daemon=True) for n, job in enumerate(jobs)]

    # The threads.

    def start(self):
        self.market()
        for thread in self.threads:
            thread.start()

    def pause(self):
        """Lets what is under way end, and nothing begin."""
        with self.lock:
            self.gate.clear()
        until = time.monotonic() + 60
        while self.busy and time.monotonic() < until:
            time.sleep(0.005)
        if self.busy:
            self.problems.append(f"{self.busy} requests have no end")

    def resume(self):
        self.gate.set()

    def stop(self):
        """Ends the load when each write that was begun is acknowledged."""
        self.over.set()
        self.gate.set()
        for thread in self.threads:
            thread.join(90)
            if thread.is_alive():
                self.problems.append("a client did not come to its end")

    def client(self, job, number):
        me = Client(self, number)
        try:
            while not self.over.is_set():
                job(me)
        except Stop:
            pass
        except Exception as why:  # Whatever it is, it must not pass as silence.
            self.problems.append(f"{job.__name__}: {type(why).__name__}: {why}")
        finally:
            me.wire.close()

    def bearer(self, role, subject, authority=None, provider=None):
        known = (role, subject, authority, provider)
        if known not in self.bearers:
            self.bearers[known] = token(self.env, *known)
        return self.bearers[known]

    # What they do.

    def market(self):
        """A market of one lot that evaluates on arrival."""
        me, lead = Client(self, 99), self.bearer(*LEAD)
        # Before there is anything to send.
        me.write("subscribe", self.bearer(*FOLLOWER), "POST", "/v1/webhooks", {"url": self.receiver.url})
        # So long ago that it is in force even by a clock that a fault sets back.
        today, live = datetime.date.today(), datetime.date.today() - datetime.timedelta(days=60)
        requirement = me.write("require", lead, "POST", "/v1/requirements", {"code": "safeguarding", "first": REQUIREMENT}).json["id"]
        arrangement = me.write("arrange", lead, "POST", "/v1/arrangements", {
            "kind": "dps", "lead": {"code": "LGSS", "name": "Local Government Shared Services"},
            "participants": [{"code": "CCC", "name": "Cambridgeshire County Council"}],
            "reference": "DN1", "title": "Placements", "description": "Care placements", "cpv": ["85311300-5"],
            "specification": {"title": "Specification", "uri": "urn:example:specification"},
            "terms": {"document": {"title": "Terms", "uri": "urn:example:terms"}, "version": "1"},
            "contact": {"name": "Team"}, "liveAt": f"{live}T00:00:00Z",
            "contractStart": str(today + datetime.timedelta(days=30)), "policies": {"admissionMode": "rolling"},
        }).json["id"]
        lot = me.write("define", lead, "POST", f"/v1/arrangements/{arrangement}/lots",
                       {"code": "CARE", "title": "Care", "serviceType": "childrens_home"}).json["id"]
        me.write("adopt", lead, "POST", f"/v1/lots/{lot}/requirements", {"requirement": requirement, "version": 1})
        me.write("publish", lead, "POST", f"/v1/arrangements/{arrangement}/publish")
        me.write("declare", lead, "PUT", f"/v1/arrangements/{arrangement}/declaration-of-interests", {"interests": []})
        me.wire.close()
        self.requirement, self.arrangement, self.lot = requirement, arrangement, lot

    @staticmethod
    def provider(id):
        """Who acts for a provider."""
        return "provider", f"home-{id}", None, id

    def registered(self, me):
        provider = str(uuid.UUID(int=me.random.getrandbits(128), version=4))
        bearer = self.bearer(*self.provider(provider))
        me.write("register", bearer, "POST", "/v1/providers", {"legalName": f"Provider {provider}"})
        self.providers.append(provider)
        return provider, bearer

    def provide(self, me):
        _, bearer = self.registered(me)
        application = me.write("draft", bearer, "POST", "/v1/applications", {"arrangement": self.arrangement, "lots": [self.lot]}).json["id"]
        path = f"/v1/applications/{application}"
        for name in ("Ash", "Birch"):
            me.write("answer", bearer, "PUT", f"{path}/answers/{self.requirement}", {"values": {"lead": f"{name} of {application}"}})
        me.write("exclude", bearer, "PUT", f"{path}/exclusions", {"grounds": []})
        me.write("accept", bearer, "PUT", f"{path}/terms", {"version": "1"})
        me.write("submit", bearer, "POST", f"{path}/submit")
        self.submitted.put(application)

    def judge(self, me):
        try:
            application = self.submitted.get(timeout=0.2)
        except queue.Empty:
            return
        lead = self.bearer(*LEAD)
        for check in me.read(lead, f"/v1/applications/{application}/checks").json["items"]:
            me.write("record", lead, "POST", f"/v1/checks/{check['id']}/record", {"passed": True, "evidence": ["lead"]})
        line = f"/v1/applications/{application}/lines/{self.lot}"
        member = f"/v1/memberships/{me.write('admit', lead, 'POST', f'{line}/admit').json['membership']}"
        self.memberships.append(member)
        # One that is to be lifted lasts longer than any clock jumps meanwhile.
        lifted = me.random.random() < 0.5
        suspension = me.write("suspend", lead, "POST", f"{member}/suspensions", {"reason": "late visits", "months": 3 if lifted else 1}).json
        if lifted:
            me.write("lift", lead, "POST", f"/v1/suspensions/{suspension['id']}/lift", {"reason": "reviewed"})
        else:
            self.suspensions[suspension["id"].replace("-", "")] = datetime.datetime.fromisoformat(suspension["until"]).timestamp()

    def upload(self, me):
        provider, bearer = self.registered(me)
        rows = "".join(f"Home {n},childrens_home,4\n" for n in range(HOMES))
        sent = me.write("upload", bearer, "POST", "/v1/uploads/homes", "name,kind,beds\n" + rows, {"Content-Type": "text/csv"})
        self.uploads[sent.json["id"]] = (provider, bearer)
        # The next file when this one is over, so that a row of outages leaves no heap of them.
        while me.read(bearer, f"/v1/uploads/{sent.json['id']}").json["state"] not in OVER:
            me.rest(0.1)

    def read(self, me):
        lead = self.bearer(*LEAD)
        me.read(lead, f"/v1/lots/{self.lot}/members")
        me.read(lead, "/v1/providers?limit=20")
        if self.memberships:
            me.read(lead, me.random.choice(self.memberships))
        me.rest(0.01)

    def follow(self, me):
        """Reads the feed from where it last stood."""
        page = me.read(self.bearer(*FOLLOWER), self.followed.path())
        if self.followed.take(page.json):
            me.rest(0.05)

    def administer(self, me):
        """What is for administrators alone to see."""
        admin = self.bearer(*ADMINISTRATOR)
        client = me.write("enrol", admin, "POST", "/v1/clients", {"name": "Reader", "role": "script", "scopes": ["read_providers"]}).json["id"]
        me.write("revoke", admin, "POST", f"/v1/clients/{client}/revoke", {"reason": "closed"})
        me.rest(0.2)


class Followed:
    """The feed as somebody who follows it has had it: every id in the order in which it came."""

    PAGE = 200

    def __init__(self):
        self.seen, self.cursor = [], None

    def path(self):
        """Where it goes on."""
        return f"/v1/events?limit={self.PAGE}" + (f"&after={self.cursor}" if self.cursor else "")

    def take(self, page):
        """Takes a page. Whether it was the last for now."""
        self.seen.extend(event["id"].replace("-", "") for event in page["items"])
        self.cursor = page["next"]
        return len(page["items"]) < self.PAGE


class Client:
    """One client's way to the server: it repeats what was cut or refused for now, under the same key, until it is answered."""

    def __init__(self, load, number):
        # Where there are several servers, each has its share of the clients.
        first = number % len(load.addresses)
        self.load, self.wire = load, Wire(load.addresses[first:] + load.addresses[:first])
        self.random = random.Random(load.random.random() + number)

    def write(self, op, bearer, method, path, body=None, headers=None):
        if self.load.over.is_set():
            raise Stop
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} | ({"If-Match": "*"} if method == "PUT" and op != "declare" else {}) | (headers or {})
        write = self.load.ledger.begin(op, bearer, method, path, text.encode(), headers)
        answer = self._answered(method, path, write.body, write.attempt)
        self.load.ledger.acknowledge(write, answer, time.monotonic())
        return answer

    def read(self, bearer, path):
        if self.load.over.is_set():
            raise Stop
        return self._answered("GET", path, None, lambda: {"Authorization": f"Bearer {bearer}"})

    def rest(self, seconds):
        self.load.over.wait(seconds)

    def _answered(self, method, path, body, headers):
        load, tries = self.load, 0
        while True:
            with load.lock:
                entered = load.gate.is_set()
                load.busy += entered
            if not entered:
                # It would be idle for longer than the server keeps it.
                self.wire.close()
                load.gate.wait()
                continue
            try:
                tries += 1
                answer = self.wire.send(method, path, body, headers())
            except Cut:
                load.cuts += 1
                answer = None
            finally:
                with load.lock:
                    load.busy -= 1
            load.resent += tries > 1
            if answer is None:
                time.sleep(0.02)
            elif answer.status == 503:
                load.unavailable += 1
                if not answer.headers.get("retry-after", "").isdigit():
                    load.problems.append(f"503 without Retry-After: {method} {path}")
                time.sleep(0.2)
            elif answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
            else:
                load.operations += 1
                return answer
