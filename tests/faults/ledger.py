"""What was sent and what was acknowledged, kept outside the server."""
import json
import threading


class Write:
    """A write under one Idempotency-Key, sent once or more often. Each attempt has a request id of its own, which the server's events carry."""

    def __init__(self, key, op, bearer, method, path, body, headers):
        self.key, self.op, self.bearer = key, op, bearer
        self.method, self.path, self.body, self.headers = method, path, body, headers
        self.attempts, self.answer, self.judged = [], None, False
        self.acknowledged_at = None

    def attempt(self):
        """The headers of one more attempt."""
        self.attempts.append(f"{self.key}.{len(self.attempts)}")
        return self.again(self.attempts[-1])

    def again(self, request):
        """The headers of the request under that id."""
        headers = {"Authorization": f"Bearer {self.bearer}", "Idempotency-Key": self.key, "X-Request-Id": request}
        return headers | self.headers


class Ledger:
    """All writes of a room, in the order in which they were begun; a file has them before they are sent."""

    def __init__(self, path):
        self.file = open(path, "w")
        self.lock = threading.Lock()
        self.writes = []

    def begin(self, op, bearer, method, path, body, headers):
        with self.lock:
            write = Write(f"write-{len(self.writes):07}", op, bearer, method, path, body, headers)
            self.writes.append(write)
            self._line(sent=write.key, op=op, method=method, path=path)
        return write

    def acknowledge(self, write, answer, at):
        with self.lock:
            write.answer, write.acknowledged_at = answer, at
            self._line(acknowledged=write.key, status=answer.status, attempts=len(write.attempts))

    def _line(self, **what):
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()
