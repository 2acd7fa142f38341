"""How a scenario is written down.

    queue = Family("Queue")
    queue("get waits for put", a.get().blocks("g"), b.put(7).unblocks("g"))

a, b and c are the actors. A call of theirs is recorded, not made. New(2) before
the calls: the object is made with that argument.
"""


class Step:
    def __init__(self, actor, call, args, kwargs):
        self.actor, self.call, self.args, self.kwargs = actor, call, args, kwargs
        self.on, self.label, self.ends = 0, None, ()

    def other(self):
        """The call is one of the object that this one was made with."""
        self.on = 1
        return self

    def blocks(self, label):
        """The call does not return before another one unblocks it."""
        self.label = label
        return self

    def unblocks(self, *labels):
        """The call lets those return that wait under these labels, and no other."""
        self.ends = tuple((label,) for label in labels)
        return self

    def unblocks_one_of(self, *labels):
        """The call lets one of these return, of those that still wait, and
        CPython does not say which."""
        self.ends = (labels,)
        return self


class Actor:
    def __init__(self, number):
        self._number = number

    def __getattr__(self, name):
        return self.call(name)

    def call(self, name):
        """For names that every object of Python has."""
        return lambda *args, **kwargs: Step(self._number, name, args, kwargs)

    # With these names Python itself would look at the actor, not record a call.
    def __le__(self, other):
        raise TypeError("use call")

    __lt__ = __ge__ = __gt__ = __le__


FREED = -1
a, b, c, freed = (Actor(n) for n in (0, 1, 2, FREED))  # freed: whoever the last step let go


class New:
    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        self.type = ""

    def of(self, typeid):
        self.type = typeid
        return self


class Scenario:
    def __init__(self, name, new, steps):
        self.name, self.new, self.steps = name, new, steps


class Family:
    """The scenarios of one type. last is the call that ends each of them."""

    def __init__(self, scenarios, typeid, last=None):
        self.scenarios, self.type, self.last = scenarios, typeid, last

    def __call__(self, title, *steps):
        new = New()
        if steps and isinstance(steps[0], New):
            new, *steps = steps
        new.type = self.type
        if steps and self.last is not None:
            steps = [*steps, self.last()]
        self.scenarios.append(Scenario(f"{self.type}: {title}", new, list(steps)))


class Predicate:
    """A predicate of wait_for: what each evaluation of it finds."""

    def __init__(self, *results):
        self.results = results
        self.seen = 0

    def __call__(self):
        self.seen += 1
        return self.results[self.seen - 1]
