"""Breaks servers under load, and judges what is left: `make faults`, or a shorter run of it, the same on each machine, by `make faults-quick`.

Run it by `scripts/postgres run --durable --`. Exit code 0 where nothing was lost, doubled, half written or answered with a 500, and no room was skipped.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "scripts")]

from room import Skipped  # noqa: E402
from rooms import ROOMS  # noqa: E402

FIGURES = {"operations": 10, "acknowledged": 12, "retried": 8, "replayed": 9, "losses": 7, "doubles": 8}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few faults of each kind")
    parser.add_argument("--seed", default="1", help="another one chooses other moments")
    parser.add_argument("--times", type=int, help="faults of each kind; a hundred kills and fewer of the rest where absent")
    parser.add_argument("--allow-skips", action="store_true", help="pass where this machine cannot have a fault")
    parser.add_argument("--beside", type=int, default=3, help="rooms that run at a time")
    parser.add_argument("--one", nargs=2, metavar=("ROOM", "DATABASE"), help=argparse.SUPPRESS)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}; all where none is named")
    given = parser.parse_args()
    unknown = [room for room in given.rooms if room not in ROOMS]
    if unknown:
        parser.error(f"there is no {unknown[0]}")
    return given


def one(given):
    """Runs a room in this process, and says its figures as a line of JSON."""
    name, database = given.one
    try:
        said = ROOMS[name][0](database, given.seed, given.quick, given.times).said()
    except Skipped as why:
        said = {"room": name, "database": database, "skipped": str(why)}
    except Exception:  # Whatever it is, the other rooms go on.
        said = {"room": name, "database": database, "faults": 1, "failed": 1, "findings": [traceback.format_exc()]}
    print(json.dumps(said))


def run(given, name, database):
    """Runs a room in a process of its own; its figures."""
    command = [sys.executable, str(HERE), "--one", name, database, "--seed", given.seed]
    command += ["--quick"] * given.quick + (["--times", str(given.times)] if given.times else [])
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = {"room": name, "database": database, "faults": 1, "failed": 1, "findings": [f"the room ended with {done.returncode}"]}
    return said | {"seconds": time.monotonic() - began}


def line(said):
    """A room's closing line, with what it found."""
    where = f"{said['room']:<20}{said['database']:<10}"
    if "skipped" in said:
        return f"{where}skipped: {said['skipped']}"
    figures = "".join(f"{said.get(name, 0):>{width}}" for name, width in FIGURES.items())
    passed = f"{max(0, said['faults'] - said['failed'])} passed, {said['failed']} failed"
    return "\n".join([f"{where}{said['faults']:>6}{figures}{said.get('recovery', 0.0):>9.2f} s{said['seconds']:>6.0f} s  {passed}"] + [f"    {each}" for each in said["findings"]])


def main():
    given = arguments()
    if given.one:
        return one(given)
    if "TEST_POSTGRES_URL" not in os.environ:
        sys.exit("faults: run it by scripts/postgres run --durable -- python3 tests/faults")
    rooms = [(name, database) for name, (_, databases) in ROOMS.items() if not given.rooms or name in given.rooms for database in databases]
    print(f"{'fault':<20}{'database':<10}{'faults':>6}{''.join(f'{name:>{width}}' for name, width in FIGURES.items())}{'recovery':>11}{'took':>8}", flush=True)
    began = time.monotonic()
    said = []
    with concurrent.futures.ThreadPoolExecutor(given.beside) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, given, *room) for room in rooms]):
            said.append(done.result())
            print(line(said[-1]), flush=True)
    total = {name: sum(room.get(name, 0) for room in said) for name in ("faults", "failed", *FIGURES)}
    longest = max((room.get("recovery", 0.0) for room in said), default=0.0)
    print(line({"room": "all", "database": "", "recovery": longest, "seconds": time.monotonic() - began, "findings": [], **total}))
    skipped = sum("skipped" in room for room in said)
    failed = total["failed"] or (skipped and not given.allow_skips)
    print(f"faults: {total['faults']} faults, {total['losses']} losses, {total['doubles']} doubles, longest recovery {longest:.2f} s"
          f"{f', {skipped} rooms skipped' if skipped else ''}: {'failed' if failed else 'passed'}")
    return sys.exit(1 if failed else 0)


main()
