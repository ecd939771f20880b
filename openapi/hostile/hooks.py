"""Who sends what Schemathesis makes up: the roles that reach the operation, in turn, as the reviewed matrix of permissions says."""
import collections
import json
import os

import schemathesis

# Of each permission the tokens that reach it.
TOKENS = json.loads(os.environ["HOSTILE_TOKENS"])
TURNS = collections.Counter()


@schemathesis.auth(refresh_interval=None)
class Roles:
    """A token of another role for each request of an operation."""

    def get(self, case, context):
        operation = case.operation.definition.raw
        if "x-permission" not in operation:
            # Where tokens are given, a client has none yet.
            return None
        known = TOKENS[operation["x-permission"]]
        TURNS[operation["operationId"]] += 1
        return known[TURNS[operation["operationId"]] % len(known)]

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
