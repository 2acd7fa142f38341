"""Writes semantics.json: what CPython's own multiprocessing.managers do.

    python3.13 shared/testdata/cpython/generate.py

Each scenario (in scenarios/) is a list of calls on one fresh object of a
running manager. The calls come from up to three actors, which are processes of
their own with their own proxies, so that who owns a lock is real. What each
call does is seen, never stated here: a value, an error, or that it blocks; a
scenario says only which calls block and which later call ends that, and this
script fails if it is not so. So no outcome depends on how fast the machine is.

The test of package shared plays the same calls against a master of its own.
Nothing but this script needs Python. It needs 3.13, no other package, and about
a minute; run again, it writes the same file.

In the file, a tuple is a list, a set a sorted list, a dict a list of pairs, a
slice {"slice": [start, stop, step]}; a call that returns the object itself has
{"self": true} for an outcome.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import json
import multiprocessing
import pathlib
import platform
import queue
import re
import threading
import time
from multiprocessing.managers import BaseProxy, RemoteError

from proxies import Manager
from scenarios import Predicate, everything

BLOCKED = 0.3  # seconds without an answer, of a call that is to block
STILL = 0.1  # seconds that those who wait are watched after another one was let go
PATIENCE = 60  # seconds for any other call; more is a failure of this script

NAMES = {
    queue.Empty: "queue.Empty",
    queue.Full: "queue.Full",
    queue.ShutDown: "queue.ShutDown",
    threading.BrokenBarrierError: "threading.BrokenBarrierError",
    RemoteError: "RemoteError",
}


def plain(v):
    """v as JSON has it."""
    if isinstance(v, (set, frozenset)):
        return sorted(plain(e) for e in v)
    if isinstance(v, dict):
        return [[plain(k), plain(e)] for k, e in v.items()]
    if isinstance(v, (list, tuple)):
        return [plain(e) for e in v]
    if isinstance(v, slice):
        return {"slice": [v.start, v.stop, v.step]}
    if isinstance(v, Predicate):
        return {"predicate": list(v.results)}
    if callable(v):
        return {"function": v.__name__}
    if v is None or isinstance(v, (bool, int, float, str)):
        return v
    raise TypeError(f"{type(v)} has no form in JSON")


def failure(e):
    """The outcome of a call that raised e."""
    message = str(e)
    if isinstance(e, RemoteError):  # the last line of the traceback says what it was
        message = [line for line in message.splitlines() if line.strip("- ")][-1]
    name = NAMES.get(type(e), type(e).__name__)
    return {"error": name, "message": re.sub(r"0x[0-9a-f]+", "0x0", message)}


def perform(target, call, args, kwargs):
    """Makes one call and returns its outcome."""
    try:
        match call:
            case "iter":
                return {"value": plain(list(iter(target)))}
            case "reversed":
                return {"value": plain(list(reversed(target)))}
            case "getattr" | "setattr" | "delattr":
                return {"value": plain(getattr(__builtins__, call)(target, *args))}
        member = getattr(target, call)
        v = member(*args, **kwargs) if callable(member) else member
        return {"self": True} if isinstance(v, BaseProxy) else {"value": plain(v)}
    except Exception as e:
        return failure(e)


def act(conn):
    """An actor: makes the calls it is sent, one after the other."""
    objects = []
    while (job := conn.recv()) is not None:
        match job:
            case ("objects", objects):
                conn.send(None)
            case ("call", on, call, args, kwargs):
                conn.send(perform(objects[on], call, args, kwargs))


class Actor:
    def __init__(self):
        self.conn, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=act, args=(other,), daemon=True)
        self.process.start()

    def ask(self, *job):
        self.conn.send(job)

    def answer(self, what):
        if not self.conn.poll(PATIENCE):
            raise SystemExit(f"{what}: no answer in {PATIENCE} seconds; is it to block?")
        return self.conn.recv()

    def end(self):
        self.conn.send(None)
        self.process.join(PATIENCE)


def create(manager, made):
    typeid, args, kwargs = made
    args = tuple(x for x in args)
    return getattr(manager, typeid)(*args, **kwargs)


def play(manager, actors, s):
    """Plays a scenario and returns it with its outcomes."""
    out = {"name": s.name, "type": s.new.type}
    if s.new.args:
        out["args"] = plain(s.new.args)
    if s.new.kwargs:
        out["kwargs"] = {k: plain(v) for k, v in s.new.kwargs.items()}
    try:
        target = getattr(manager, s.new.type)(*s.new.args, **s.new.kwargs)
    except Exception as e:
        if s.steps:
            raise SystemExit(f"{s.name}: the object cannot be made: {e}")
        return out | failure(e)
    for i in sorted({step.actor for step in s.steps}):
        actors[i].ask("objects", [target])
        actors[i].answer(s.name)
    waiting = {}  # label: index of the step
    steps = out["steps"] = []
    for index, step in enumerate(s.steps):
        what = f"{s.name}: step {index} ({step.call})"
        line = {"actor": step.actor, "call": step.call}
        if step.args:
            line["args"] = plain(step.args)
        if step.kwargs:
            line["kwargs"] = {k: plain(v) for k, v in step.kwargs.items()}
        steps.append(line)
        actor = actors[step.actor]
        if any(s.steps[i].actor == step.actor for i in waiting.values()):
            raise SystemExit(f"{what}: its actor waits")
        actor.ask("call", 0, step.call, step.args, step.kwargs)
        if step.label is not None:
            if actor.conn.poll(BLOCKED):
                raise SystemExit(f"{what} does not block: {actor.conn.recv()}")
            line["blocks"] = True
            waiting[step.label] = index
            continue
        line |= actor.answer(what)
        for label in step.ends:
            i = waiting.pop(label)
            outcome = actors[s.steps[i].actor].answer(f"{what}: the end of step {i}")
            line.setdefault("unblocks", []).append({"step": i} | outcome)
        until = time.monotonic() + STILL
        for i in waiting.values():
            if actors[s.steps[i].actor].conn.poll(max(0, until - time.monotonic())):
                raise SystemExit(f"{what} ended step {i}, too")
    if waiting:
        raise SystemExit(f"{s.name}: {sorted(waiting)} never end")
    return out


def text(document):
    """The file: a step a line, so that a change of one is seen."""

    def compact(v):
        return json.dumps(v, ensure_ascii=False)

    head = {k: v for k, v in document.items() if k != "scenarios"}
    lines = [compact(head)[:-1] + ', "scenarios": [']
    for n, s in enumerate(document["scenarios"]):
        comma = "," if n + 1 < len(document["scenarios"]) else ""
        steps = s.get("steps")
        if not steps:
            lines.append(compact(s) + comma)
            continue
        head = {k: v for k, v in s.items() if k != "steps"}
        lines.append(compact(head)[:-1] + ', "steps": [')
        lines.append(",\n".join("\t" + compact(step) for step in steps))
        lines.append("]}" + comma)
    return "\n".join(lines + ["]}", ""])


def main():
    here = pathlib.Path(__file__).resolve().parent
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--only", default="", help="play scenarios whose name contains this, and print them")
    only = p.parse_args().only
    if sys.version_info[:2] != (3, 13):
        raise SystemExit(f"this needs Python 3.13, not {platform.python_version()}")
    multiprocessing.set_start_method("spawn")
    scenarios = [s for s in everything() if only in s.name]
    names = [s.name for s in scenarios]
    if twice := {n for n in names if names.count(n) > 1}:
        raise SystemExit(f"two scenarios of one name: {sorted(twice)}")
    actors = [Actor() for _ in range(3)]
    with Manager() as manager:
        played = [play(manager, actors, s) for s in scenarios]
        for a in actors:
            a.end()
    document = {
        "generator": "generate.py",
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "scenarios": played,
    }
    if only:
        print(text(document), end="")
        return
    (here / "semantics.json").write_text(text(document), encoding="utf-8")
    print(f"{len(played)} scenarios, {sum(len(s.get('steps', ())) for s in played)} calls")


if __name__ == "__main__":
    main()
