"""One thread's connection to the server: HTTP, kept alive, with tokens that a development server accepts."""
import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import time

# Longer than a server may take for anything that the load asks for.
PATIENCE = 40


class Cut(Exception):
    """The connection was refused or ended before the answer was whole."""


class Answer:
    """What a server answered."""

    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.closes = response.will_close

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def letter(self):
        """All of it that a replay repeats."""
        return self.status, self.headers.get("etag"), self.headers.get("location"), self.body

    def repeats(self, first):
        """Whether it is the `first` answer once more, to the letter; but a secret is shown once, and what it stood in is written anew."""
        if b'"secret":"' not in first.body:
            return self.letter == first.letter
        shown = {name: value for name, value in first.json.items() if name != "secret"}
        return self.letter[:3] == first.letter[:3] and self.json == shown


class Wire:
    """A connection to the first of `addresses` that takes one; whoever has two goes to the other when one refuses."""

    def __init__(self, addresses, patience=PATIENCE):
        self.addresses, self.patience = list(addresses), patience
        self.connection = None

    def send(self, method, path, body=None, headers=None):
        """The answer. Cut where there is none: then nobody knows whether the request was carried out."""
        try:
            if self.connection is None:
                self.connection = self._connect()
            self.connection.request(method, path, body, headers or {})
            response = self.connection.getresponse()
            answer = Answer(response, response.read())
        except (OSError, http.client.HTTPException) as why:
            self.close()
            raise Cut(f"{type(why).__name__}: {why}") from why
        if answer.closes:
            self.close()
        return answer

    def _connect(self):
        refused = OSError("no address")
        for _ in self.addresses:
            connection = http.client.HTTPConnection(self.addresses[0], timeout=self.patience)
            try:
                connection.connect()
                return connection
            except OSError as why:
                refused = why
                self.addresses.append(self.addresses.pop(0))
        raise refused

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def token(env, role, subject, authority=None, provider=None, expires=None):
    """What `dps token` prints, for as many accounts as a load has."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    claims = {
        "sub": subject, "iss": "dps-local", "aud": "dps", "exp": int(expires or time.time() + 12 * 3600),
        "role": role, "authority": authority, "provider": provider,
    }
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    key = pathlib.Path(env["DPS_TOKEN_KEY_FILE"]).read_bytes()
    return (signed + b"." + part(hmac.new(key, signed, hashlib.sha256).digest())).decode()
