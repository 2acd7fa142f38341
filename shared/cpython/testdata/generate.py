"""Writes semantics.json: what CPython's own multiprocessing.managers do.

    python3.13 shared/cpython/testdata/generate.py

Each scenario (in scenarios/) is a list of calls on one fresh object of a
running manager. The calls come from up to three actors, which are processes of
their own with their own proxies, so that who owns a lock is real. What each
call does is seen, never stated here: a value, an error, or that it blocks; a
scenario says only which calls block and which later call ends that, and this
script fails if it is not so. So no outcome depends on how fast the machine is.

The tests beside it play the same calls against a master of ours. Nothing but
this script needs Python. It needs 3.13, no other package, and about a minute;
run again, it writes the same file.

In the file, a tuple is a list, a set a sorted list, a dict a list of pairs, a
slice {"slice": [start, stop, step]}, another object, which a step calls as
"object" 1, {"new": type}; a call that returns the object itself has
{"self": true} for an outcome. Where CPython does not say which of several calls
a step unblocks, it is "one_of" them, and the next step may be that one's, as
actor -1.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import builtins
import json
import multiprocessing
import pathlib
import platform
import queue
import re
import threading
import time
from multiprocessing import connection
from multiprocessing.managers import RemoteError

from proxies import Manager
from scenarios import FREED, New, Predicate, everything

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
    if isinstance(v, New):
        return {"new": v.type}
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
            case "iter" | "reversed":
                v = list(getattr(builtins, call)(target))
            case "getattr" | "setattr" | "delattr":
                v = getattr(builtins, call)(target, *args)
            case _:
                member = getattr(target, call)
                v = member(*args, **kwargs) if callable(member) else member
    except Exception as e:
        return failure(e)
    return {"self": True} if v is target else {"value": plain(v)}


def act(conn, address):
    """An actor: makes the calls it is sent, one after the other."""
    manager = Manager(address)
    manager.connect()
    objects = []
    while (job := conn.recv()) is not None:
        match job:
            case ("objects", objects):
                for o in objects:  # a proxy that was sent knows no manager and so cannot be iterated over
                    object.__setattr__(o, "_manager", manager)
                conn.send(None)
            case ("call", on, call, args, kwargs):
                conn.send(perform(objects[on], call, args, kwargs))


class Actor:
    def __init__(self, manager):
        self.conn, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=act, args=(other, manager.address), daemon=True)
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


def make(manager, new):
    """The object of a scenario, and before it those that it is made of."""
    parts = [x for x in new.args if isinstance(x, New)]
    parts = [getattr(manager, x.type)(*x.args, **x.kwargs) for x in parts]
    rest = iter(parts)
    args = [next(rest) if isinstance(x, New) else x for x in new.args]
    return [getattr(manager, new.type)(*args, **new.kwargs), *parts]


def wait_for_one(candidates, actors, what):
    """Which of these actors has an answer first."""
    conns = {actors[i].conn: i for i in candidates}
    ready = connection.wait(conns, PATIENCE)
    if len(ready) != 1:
        raise SystemExit(f"{what}: {len(ready)} of {len(candidates)} calls ended, not 1")
    return conns[ready[0]]


def play(manager, actors, s):
    """Plays a scenario and returns it with its outcomes."""
    out = {"name": s.name, "type": s.new.type}
    if s.new.args:
        out["args"] = plain(s.new.args)
    if s.new.kwargs:
        out["kwargs"] = {k: plain(v) for k, v in s.new.kwargs.items()}
    try:
        objects = make(manager, s.new)
    except Exception as e:
        if s.steps:
            raise SystemExit(f"{s.name}: the object cannot be made: {e}")
        return out | failure(e)
    for i in sorted({step.actor for step in s.steps} - {FREED}):
        actors[i].ask("objects", objects)
        actors[i].answer(s.name)
    waiting, blocked, freed = {}, {}, None  # by label: the actor, the step; who was let go last
    steps = out["steps"] = []
    for index, step in enumerate(s.steps):
        what = f"{s.name}: step {index} ({step.call})"
        line = {"actor": step.actor, "call": step.call}
        if step.args:
            line["args"] = plain(step.args)
        if step.kwargs:
            line["kwargs"] = {k: plain(v) for k, v in step.kwargs.items()}
        steps.append(line)
        who = freed if step.actor == FREED else step.actor
        if who in waiting.values():
            raise SystemExit(f"{what}: its actor waits")
        if step.on:
            line["object"] = step.on
        actors[who].ask("call", step.on, step.call, step.args, step.kwargs)
        if step.label is not None:
            if actors[who].conn.poll(BLOCKED):
                raise SystemExit(f"{what} does not block: {actors[who].conn.recv()}")
            line["blocks"] = True
            waiting[step.label], blocked[step.label] = who, index
            continue
        line |= actors[who].answer(what)
        for labels in step.ends:
            candidates = {waiting[label]: label for label in labels if label in waiting}
            freed = wait_for_one(candidates, actors, what)
            del waiting[candidates[freed]]
            end = {"step": blocked[labels[0]]}
            if len(labels) > 1:
                end = {"one_of": [blocked[label] for label in labels]}
            line.setdefault("unblocks", []).append(end | actors[freed].answer(what))
        if others := [actors[i].conn for i in waiting.values()]:
            if connection.wait(others, STILL):
                raise SystemExit(f"{what} ended the wait of another one, too")
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
    with Manager() as manager:
        actors = [Actor(manager) for _ in range(3)]
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
