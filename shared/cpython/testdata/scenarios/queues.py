"""Queues of every kind. Queue and JoinableQueue are one class."""

from .steps import Family, New, a, b, c

scenarios = []
queue = Family(scenarios, "Queue")
joinable = Family(scenarios, "JoinableQueue")
lifo = Family(scenarios, "LifoQueue")
priority = Family(scenarios, "PriorityQueue")
simple = Family(scenarios, "SimpleQueue")

queue("first in, first out", a.put(1), a.put(2), b.put(3), b.get(), a.get(), c.get())
queue("put and get without waiting", a.put_nowait(1), b.get_nowait())
queue("get waits for a put", a.get().blocks("g"), b.put(7).unblocks("g"), b.qsize())
queue("those who wait get in their order", a.get().blocks("1"), b.get().blocks("2"),
      c.put(1).unblocks("1"), c.put(2).unblocks("2"))
queue("get of nothing", a.get(False), a.get(block=False), a.get_nowait(), a.get(True, 0.05),
      a.get(timeout=0.05), a.get(timeout=0))
queue("a get that waits in vain takes nothing", a.get(timeout=0.05), b.put(1), b.qsize(), a.get())
queue("a get with a timeout is served before it", a.get(timeout=30).blocks("g"), b.put(7).unblocks("g"))
queue("a negative timeout", New(1), a.get(timeout=-1), a.put(1, timeout=-1), a.qsize(), a.put(1),
      a.put(2, timeout=-1), a.put(2, True, -0.5))
queue("a timeout means nothing where nobody waits", New(1), a.put(1, False, -1), a.get(False, -1))
queue("maxsize", New(2), a.full(), a.put(1), a.full(), a.put(2), a.full(), a.qsize(), a.get(), a.full())
queue("maxsize by its name", New(maxsize=1), a.put(1), a.put_nowait(2))
queue("a full queue refuses", New(1), a.put(1), a.put(2, False), a.put(2, block=False), a.put_nowait(2),
      a.put(2, timeout=0.05), a.put(2, timeout=0), a.qsize(), a.get(), a.empty())
queue("put on a full queue waits for a get", New(1), a.put(1), a.put(2).blocks("p"),
      b.get().unblocks("p"), b.get())
queue("puts that wait come in their order", New(1), a.put(1), a.put(2).blocks("2"), b.put(3).blocks("3"),
      c.get().unblocks("2"), c.get().unblocks("3"), c.get())
queue("maxsize 0 is no bound", New(0), a.put(1), a.put(2), a.full(), a.qsize())
queue("a negative maxsize is no bound", New(-1), a.put(1), a.put(2), a.full(), a.qsize())
queue("qsize and empty", a.qsize(), a.empty(), a.full(), a.put(1), a.qsize(), a.empty(), a.get(), a.empty())
queue("None is an item like others", a.put(None), a.qsize(), a.get())
queue("items of every kind", a.put(-1), a.put("é"), a.put([1, [2]]), a.put({"k": 1}), a.put(True), a.put(1.5),
      b.get(), b.get(), b.get(), b.get(), b.get(), b.get())
queue("attributes are out of reach", a.maxsize(), a.is_shutdown(), a.unfinished_tasks())
queue("arguments that are missing or too many", a.put(), a.get(1, 2, 3), a.qsize(1))
queue("task_done of nothing", a.task_done())
queue("task_done more often than put", a.put(1), a.get(), a.task_done(), a.task_done())
queue("task_done by one who did not get", a.put(1), b.get(), a.task_done(), b.join())
queue("task_done before the get", a.put(1), a.task_done(), a.join(), a.get())
queue("join of an empty queue", a.join())
queue("join waits for task_done, not for get", a.put(1), a.join().blocks("j"), b.get(),
      b.task_done().unblocks("j"))
queue("join waits for every task", a.put(1), a.put(2), a.join().blocks("j"), b.get(), b.task_done(),
      b.get(), b.task_done().unblocks("j"))
queue("join waits for what is put meanwhile", a.put(1), a.join().blocks("j"), b.put(2), b.get(), b.task_done(),
      b.get(), b.task_done().unblocks("j"))
queue("all who join are let go", a.put(1), a.join().blocks("1"), b.join().blocks("2"), c.get(),
      c.task_done().unblocks("1", "2"))
queue("join again after the end", a.put(1), a.get(), a.task_done(), a.join(), a.put(2), a.join().blocks("j"),
      b.get(), b.task_done().unblocks("j"))

queue("shutdown of an empty queue", a.shutdown(), a.put(1), a.get(), a.get(False), a.put(1, False),
      a.get_nowait(), a.put_nowait(1), a.get(timeout=0.05), a.put(1, timeout=0.05))
queue("shutdown twice", a.shutdown(), a.shutdown(), a.shutdown(True), a.get())
queue("after shutdown what is there can be got", a.put(1), a.put(2), a.shutdown(), b.put(3), b.qsize(), b.get(),
      b.get(), b.get(), b.empty())
queue("shutdown ends a get that waits", a.get().blocks("g"), b.shutdown().unblocks("g"))
queue("shutdown ends every get that waits", a.get().blocks("1"), b.get(timeout=30).blocks("2"),
      c.shutdown().unblocks("1", "2"))
queue("shutdown ends a put that waits", New(1), a.put(1), a.put(2).blocks("p"), b.shutdown().unblocks("p"),
      b.get(), b.get())
queue("shutdown ends every put that waits", New(1), a.put(1), a.put(2).blocks("2"),
      b.put(3, timeout=30).blocks("3"), c.shutdown().unblocks("2", "3"), c.qsize())
queue("shutdown at once drops what is there", a.put(1), a.put(2), a.shutdown(True), b.qsize(), b.get(), b.put(3))
queue("shutdown at once ends a get that waits", a.get().blocks("g"), b.shutdown(immediate=True).unblocks("g"))
queue("shutdown at once ends a put that waits", New(1), a.put(1), a.put(2).blocks("p"),
      b.shutdown(True).unblocks("p"), b.get())
queue("shutdown then at once", a.put(1), a.shutdown(), a.qsize(), a.shutdown(True), a.qsize(), a.get())
queue("after shutdown join still waits", a.put(1), a.shutdown(), a.join().blocks("j"), b.get(),
      b.task_done().unblocks("j"))
queue("shutdown at once ends a join", a.put(1), a.join().blocks("j"), b.shutdown(True).unblocks("j"))
queue("shutdown at once leaves tasks that were got", a.put(1), a.put(2), b.get(), a.join().blocks("j"),
      c.shutdown(True), b.task_done().unblocks("j"))
queue("task_done after shutdown", a.put(1), a.get(), a.shutdown(), a.task_done(), a.task_done())

joinable("put, get, task_done, join", a.put("x"), a.put_nowait("y"), a.qsize(), a.full(), b.get(), b.task_done(),
         a.join().blocks("j"), b.get_nowait(), b.empty(), b.task_done().unblocks("j"), b.task_done())
joinable("shutdown", New(1), a.put(1), a.put(2).blocks("p"), b.shutdown().unblocks("p"), b.get(), b.get(),
         b.task_done(), b.join())

lifo("last in, first out", a.put(1), a.put(2), a.put(3), b.get(), b.get(), a.put(4), b.get(), b.get())
lifo("bounded", New(1), a.put(1), a.put_nowait(2), a.full(), a.put(2).blocks("p"), b.get().unblocks("p"), b.get())
lifo("empty", a.get_nowait(), a.get(timeout=0.05), a.empty(), a.qsize())
lifo("get waits for a put", a.get().blocks("g"), b.put(1).unblocks("g"))
lifo("task_done and join", a.put(1), a.join().blocks("j"), b.get(), b.task_done().unblocks("j"), b.task_done())
lifo("shutdown", a.put(1), a.put(2), a.shutdown(), b.get(), b.get(), b.get(), b.put(3))

priority("lowest first", a.put(3), a.put(1), a.put(2), b.get(), b.get(), b.get())
priority("the key, then the item", a.put((2, "b")), a.put((1, "z")), a.put((1, "a")), b.get(), b.get(), b.get())
priority("negative keys", a.put(0), a.put(-5), a.put(5), b.get(), b.get(), b.get())
priority("a later item of a lower key comes first", a.put(5), a.put(7), b.get(), a.put(1), b.get(), b.get())
priority("words", a.put("pear"), a.put("apple"), a.put("Zoe"), b.get(), b.get(), b.get())
priority("items that cannot be compared", a.put(1), a.put("x"))
priority("items of one key that cannot be compared", a.put((1, {"k": 1})), a.put((1, {"k": 0})), a.qsize())
priority("bounded", New(1), a.put(2), a.put_nowait(1), a.put(1).blocks("p"), b.get().unblocks("p"), b.get())
priority("empty", a.get_nowait(), a.get(timeout=0.05), a.empty())
priority("get waits for a put", a.get().blocks("g"), b.put(1).unblocks("g"))
priority("task_done and join", a.put(1), a.join().blocks("j"), b.get(), b.task_done().unblocks("j"), b.task_done())
priority("shutdown at once", a.put(2), a.put(1), a.shutdown(True), b.get(), b.put(3))

simple("first in, first out", a.put(1), a.put(2), b.qsize(), b.get(), b.get(), b.empty())
simple("get waits for a put", a.get().blocks("g"), b.put(1).unblocks("g"))
simple("empty", a.get_nowait(), a.get(False), a.get(timeout=0.05), a.get(timeout=-1))
simple("put never waits", a.put(1, True, 1), a.put_nowait(2), a.put(3, block=False), a.put(4, timeout=-1), a.qsize())
simple("what it lacks", a.full(), a.task_done(), a.join(), a.shutdown())
