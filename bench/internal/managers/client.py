"""The clients: threads of one Python process, each with a connection of its own.

The first line of the input says, in JSON, where the server is and where to
listen for the program that started this one, in a directory that is this
process's to remove. The end of the input ends the process. What comes to that
socket gets a thread each, and says in a line of JSON what the thread does: the
methods of Client. Numbers have 4 bytes, the lowest first. A list of items is
their number, how long each is, and the items. Each answer begins with how long
the text is that says what went wrong, 0 for nothing, and that text.
"""

import json
import os
import queue
import shutil
import socket
import struct
import sys
import threading
import time
from multiprocessing.managers import AcquirerProxy, BaseManager, DictProxy

CHUNK = 100  # items of one put_many or get_many at most
CHUNK_BYTES = 1 << 20  # and about how long they are together
GATHER = 0.005  # seconds that an item waits for others before the program has it
CONNECTING = 4  # threads at a time: the server loses some of 16 or more
PARK = 0.0001  # seconds in which a get has arrived where it waits


class Shared(BaseManager):
    """What the server shares."""


Shared.register("queue")
Shared.register("echo")
Shared.register("lock", proxytype=AcquirerProxy)
Shared.register("values", proxytype=DictProxy)


class Pipe:
    """The way to the program that started this one."""

    def __init__(self, sock):
        self.sock = sock
        self.input = sock.makefile("rb", 1 << 16)

    def read(self, n):
        data = self.input.read(n)
        if len(data) < n:
            raise EOFError
        return data

    def numbers(self, n):
        return struct.unpack(f"<{n}I", self.read(4 * n))

    def items(self):
        (n,) = self.numbers(1)
        return [self.read(size) for size in self.numbers(n)]

    def answer(self, error=""):
        text = error.encode()
        self.sock.sendall(struct.pack("<I", len(text)) + text)

    def answer_items(self, items):
        n = len(items)
        head = struct.pack(f"<{n + 2}I", 0, n, *map(len, items))
        self.sock.sendall(head + b"".join(items))

    def answer_times(self, seconds):
        """A list of one item: times in ns, of 8 bytes each."""
        times = [round(s * 1e9) for s in seconds]
        self.answer_items([struct.pack(f"<{len(times)}Q", *times)])


class Gathered:
    """Items on their way to the program, many of them at a time."""

    everyone = []

    def __init__(self, pipe, most):
        self.pipe, self.most = pipe, most
        self.items = []
        self.lock = threading.Lock()
        if most > 1:
            self.everyone.append(self)

    def add(self, item):
        with self.lock:
            self.items.append(item)
            if len(self.items) >= self.most:
                self.send()

    def send(self):
        """The caller has the lock."""
        if self.items:
            self.pipe.answer_items(self.items)
            self.items = []

    @classmethod
    def run(cls):
        while True:
            time.sleep(GATHER)
            for gathered in cls.everyone:
                try:
                    with gathered.lock:
                        gathered.send()
                except OSError:
                    cls.everyone.remove(gathered)
                    break


class Client:
    def __init__(self, shared, chunked):
        self.shared, self.chunked = shared, chunked
        self.queues = {}
        self.lock = threading.Lock()
        self.connecting = threading.Semaphore(CONNECTING)

    def queue(self, name):
        """The queue of a name. The caller's thread has a connection then."""
        with self.lock:
            if name not in self.queues:
                self.queues[name] = self.shared.queue(name)
            found = self.queues[name]
        with self.connecting:
            found.qsize()
        return found

    def put(self, pipe, order):
        """Answers, and then puts each list of items that comes, and answers."""
        tasks = self.queue(order["queue"])
        while True:
            pipe.answer()
            self.put_all(tasks, pipe.items())

    def put_all(self, tasks, items):
        if not self.chunked:
            for item in items:
                tasks.put(item)
            return
        while items:
            n = chunk_of(items[0])
            tasks.put_many(items[:n])
            items = items[n:]

    def take(self, pipe, order):
        """Answers, and then with what it gets, as far as its credit goes; what
        comes is more credit."""
        tasks, credit = self.queue(order["queue"]), order["prefetch"]
        gathered = Gathered(pipe, min(32, credit))
        most = CHUNK
        pipe.answer()
        while True:
            while credit == 0:
                with gathered.lock:
                    gathered.send()
                credit += pipe.numbers(1)[0]
            if self.chunked:
                items = tasks.get_many(min(most, credit))
                credit -= len(items)
                most = chunk_of(items[0])
                pipe.answer_items(items)
            else:
                gathered.add(tasks.get())
                credit -= 1
                tasks.task_done()

    def square(self, pipe, order):
        """Answers, and then puts the square of each task it gets in another queue."""
        tasks, results = self.queue(order["queue"]), self.queue(order["results"])
        pipe.answer()
        while True:
            if self.chunked:
                results.put_many([squared(task) for task in tasks.get_many(CHUNK)])
            else:
                results.put(squared(tasks.get()))
                tasks.task_done()

    def round_trips(self, pipe, order):
        """Puts an item n times, each when the one before was taken, and answers
        how long each took to arrive."""
        tasks, n = self.queue(order["queue"]), order["n"]
        items, took = [bytes(order["bytes"])], []
        arrivals = queue.SimpleQueue()  # None before each get, and its time after it

        def take():
            self.queue(order["queue"])
            for _ in range(n):
                arrivals.put(None)
                if self.chunked:
                    tasks.get_many(1)
                    at = time.perf_counter()
                else:
                    tasks.get()
                    at = time.perf_counter()
                    tasks.task_done()
                arrivals.put(at)

        taker = threading.Thread(target=take, daemon=True)
        taker.start()
        for _ in range(n):
            arrivals.get()
            time.sleep(PARK)
            began = time.perf_counter()
            self.put_all(tasks, items)
            took.append(arrivals.get() - began)
        taker.join()
        pipe.answer_times(took)

    def operate(self, pipe, order):
        """Has threads do an operation n times in all, and answers how long that took."""
        callers, n = order["callers"], order["n"]
        times = []
        gate = threading.Barrier(callers, lambda: times.append(time.perf_counter()))

        def run(operation, n):
            try:
                with self.connecting:
                    operation()
                gate.wait()
                for _ in range(n):
                    operation()
                gate.wait()
            except BaseException:
                gate.abort()
                raise

        operations = self.operations(order["operation"], callers)
        threads = [
            threading.Thread(target=run, args=(op, (n + i) // callers), daemon=True)
            for i, op in enumerate(operations)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if gate.broken:
            raise RuntimeError("a caller failed")
        pipe.answer_times([times[1] - times[0]])

    def operations(self, name, callers):
        """What each of so many callers does; each has its own key of a map."""
        value = bytes(100)
        if name == "call":
            call = self.shared.echo().call
            return [lambda: call(value)] * callers
        if name == "lock":
            lock = self.shared.lock()

            def acquire_and_release():
                lock.acquire()
                lock.release()

            return [acquire_and_release] * callers
        values = self.shared.values()
        keys = [f"key {i}" for i in range(callers)]
        values.update(dict.fromkeys(keys, value))
        if name == "set":
            return [lambda key=key: values.__setitem__(key, value) for key in keys]
        return [lambda key=key: values[key] for key in keys]


def chunk_of(item):
    """How many items like this one are put or taken with one call."""
    return max(1, min(CHUNK, CHUNK_BYTES // max(1, len(item))))


def squared(task):
    """What the pipeline's workers do: n in 8 bytes, the highest first, to n·n."""
    n = int.from_bytes(task[:8], "big")
    return (n * n & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big") + task[8:]


def serve(client, sock):
    pipe = Pipe(sock)
    try:
        order = json.loads(pipe.input.readline())
        getattr(client, order["do"])(pipe, order)
    except BrokenPipeError:
        pass  # the program wants no more
    except EOFError:
        fail(pipe, "the connection was closed")
    except Exception as e:
        fail(pipe, f"{type(e).__name__}: {e}")
    finally:
        sock.close()


def fail(pipe, error):
    """Answers that something went wrong, and what."""
    try:
        pipe.answer(error)
    except OSError:
        pass


def main():
    settings = json.loads(sys.stdin.readline())
    shared = Shared((settings["host"], settings["port"]), bytes.fromhex(settings["key"]))
    shared.connect()
    client = Client(shared, settings["chunked"])
    threading.Thread(target=Gathered.run, daemon=True).start()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(settings["socket"])
    listener.listen(128)
    print("ready", flush=True)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve, args=(client, sock), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    # However the program ended that made it.
    shutil.rmtree(os.path.dirname(settings["socket"]), ignore_errors=True)
    os._exit(0)  # there may be threads that wait for items for ever


if __name__ == "__main__":
    main()
