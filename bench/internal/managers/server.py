"""The server: queues and other objects that Python programs share.

The key comes in the environment. Its first line of output is the port, its
second the version of Python. An interrupt ends it.
"""

import os
import platform
import queue
import threading
from multiprocessing.managers import AcquirerProxy, BaseManager, DictProxy


class Queue(queue.Queue):
    """A queue that also takes and gives many items at a time."""

    def put_many(self, items):
        with self.mutex:
            self.queue.extend(items)
            self.unfinished_tasks += len(items)
            self.not_empty.notify(len(items))

    def get_many(self, most):
        """Waits for an item, and takes what else is there."""
        with self.mutex:
            while not self.queue:
                self.not_empty.wait()
            take = self.queue.popleft
            return [take() for _ in range(min(most, len(self.queue)))]


class Echo:
    def call(self, value):
        return value


class Shared(BaseManager):
    """What is shared."""


queues = {}
making = threading.Lock()


def find_queue(name):
    with making:
        return queues.setdefault(name, Queue())


echo, lock, values = Echo(), threading.Lock(), {}
Shared.register("queue", find_queue)
Shared.register("echo", lambda: echo)
Shared.register("lock", lambda: lock, proxytype=AcquirerProxy)
Shared.register("values", lambda: values, proxytype=DictProxy)

if __name__ == "__main__":
    key = bytes.fromhex(os.environ.pop("REEVE_BENCH_KEY"))
    server = Shared(("127.0.0.1", 0), key).get_server()
    print(server.address[1], platform.python_version(), sep="\n", flush=True)
    server.serve_forever()
