#!/usr/bin/env python3
"""CPython's asyncio as the oracle for corun's task semantics.

    asyncio_oracle.py gen FROM TO [PROFILE]  > programs.jsonl   one random program a line: {"seed":..,"program":[..]}
    asyncio_oracle.py run < programs.jsonl   > traces.jsonl     its trace a line:          {"seed":..,"trace":[..]}

Programs are trees of statements (docs: README.md beside this file). They run on a virtual clock in whole
milliseconds, so a trace is exact: same program, same trace, byte for byte. Run it with CPython 3.13.

Where corun differs from CPython on purpose (docs/contract.md, section 9), CPython is switched here to corun's
rule; each switch is a class or function marked SWITCH. Nothing else may differ.
"""
import asyncio, collections, heapq, json, random, selectors, sys
from asyncio import events, taskgroups


# ---- the switches ---------------------------------------------------------------------------------------

class InsertionOrder(dict):                       # SWITCH: group children are cancelled in spawn order
    add = lambda self, x: self.__setitem__(x, None)
    discard = lambda self, x: self.pop(x, None)


class TaskGroup(taskgroups.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = InsertionOrder()


class Timeout(asyncio.Timeout):                   # SWITCH: a request that was pending when a scope began too late wins over its expiry
    async def __aenter__(self):
        request_was_first = asyncio.current_task()._must_cancel and self.when() <= asyncio.get_running_loop().time()
        await super().__aenter__()
        if request_was_first:
            self._cancelling = -1                 # no count is that low: what leaves is the request
        return self


def timeout(delay):
    return Timeout(asyncio.get_running_loop().time() + delay)


class TimerHandle(events.TimerHandle):            # SWITCH: equal deadlines fire in creation order
    __slots__ = ("number",)
    count = 0

    def __init__(self, *a, **k):
        super().__init__(*a, **k)
        TimerHandle.count += 1
        self.number = TimerHandle.count

    def __lt__(self, other):
        return (self._when, self.number) < (other._when, other.number)


class TaskCancelled(Exception):                   # SWITCH: awaiting a task that others cancelled is an error, not one's own cancel
    pass


class Queue:                                      # SWITCH: strict FIFO; a woken waiter's item or slot is reserved for it
    def __init__(self, capacity):
        self.capacity, self.items = capacity, collections.deque()
        self.getters, self.putters = collections.deque(), collections.deque()
        self.reserved_items = self.reserved_slots = 0

    async def put(self, item):
        if self._live(self.putters) or len(self.items) + self.reserved_slots >= self.capacity:
            await self._turn_in(self.putters, "reserved_slots")
        self.items.append(item)
        self._wake()

    async def get(self):
        if self._live(self.getters) or len(self.items) <= self.reserved_items:
            await self._turn_in(self.getters, "reserved_items")
        item = self.items.popleft()
        self._wake()
        return item

    @staticmethod
    def _live(waiters):
        return any(not w.cancelled() for w in waiters)

    async def _turn_in(self, waiters, reserved):
        waiter = asyncio.get_running_loop().create_future()
        waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:            # what it had been given passes on when the cancelled waiter resumes
            if waiter in waiters:
                waiters.remove(waiter)
            else:
                setattr(self, reserved, getattr(self, reserved) - 1)
            self._wake()
            raise
        setattr(self, reserved, getattr(self, reserved) - 1)

    def _wake(self):
        while self._live(self.getters) and len(self.items) > self.reserved_items:
            self.reserved_items += self._grant(self.getters)
        while self._live(self.putters) and len(self.items) + self.reserved_slots < self.capacity:
            self.reserved_slots += self._grant(self.putters)

    @staticmethod
    def _grant(waiters):
        waiter = next(w for w in waiters if not w.cancelled())
        waiters.remove(waiter)
        waiter.set_result(None)
        return 1


class Semaphore:                                  # SWITCH: a permit is handed over; a free permit means nobody waits
    def __init__(self, value):
        self.value, self.waiters = value, collections.deque()

    def locked(self):
        return self.value == 0

    async def acquire(self):
        if self.value > 0:
            self.value -= 1
            return True
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self.waiters:
                self.waiters.remove(waiter)
            else:
                self.release()
            raise
        return True

    def release(self):
        for waiter in self.waiters:
            if not waiter.cancelled():
                self.waiters.remove(waiter)
                waiter.set_result(None)
                return
        self.value += 1


async def await_task(task):
    me = asyncio.current_task()
    mine = -1 if me._must_cancel and not task.done() else me.cancelling()     # -1: a request is delivered here in any case
    try:
        return await task
    except asyncio.CancelledError:
        if task.cancelled() and me.cancelling() == mine:
            raise TaskCancelled from None
        raise


# ---- the virtual clock ----------------------------------------------------------------------------------

class Deadlock(BaseException):
    pass


class VirtualSelector(selectors.SelectSelector):
    loop = None

    def select(self, timeout=None):
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self.loop.now += round(timeout * 1000)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0
        selector = VirtualSelector()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-9

    def time(self):
        return self.now / 1000

    def call_at(self, when, callback, *args, context=None):
        when = round(when * 1000) / 1000             # SWITCH: whole milliseconds, so that equal deadlines are equal
        timer = TimerHandle(when, callback, args, self, context)
        timer._scheduled = True
        heapq.heappush(self._scheduled, timer)
        return timer

    def turn_until(self, done):                   # SWITCH: the loop stops right after the turn in which it may
        events._set_running_loop(self)
        try:
            while not done():
                self._run_once()
        finally:
            events._set_running_loop(None)


# ---- programs -------------------------------------------------------------------------------------------

DELAYS = [0, 0, 1, 1, 2, 3, 5, 8]
PROFILES = {                                      # relative weights
    "tasks": dict(sleep=30, mark=8, spawn=14, cancel=9, wait=6, await_=6, group=8, timeout=8, throw=4, catch=5, swallow=2, finally_=4, shield=3),
    "sync": dict(sleep=24, mark=4, spawn=16, cancel=10, group=5, timeout=5, throw=2, catch=3, swallow=1, finally_=3,
                 event_set=4, event_wait=5, lock=8, semaphore=7, put=6, get=6, condition_wait=3, notify=3),
    "contention": dict(sleep=16, spawn=5, cancel=14, group=2, timeout=5, throw=1, catch=2, swallow=2, finally_=2, wait=2, await_=3, shield=1,
                       event_set=4, event_wait=5, lock=14, semaphore=12, put=9, get=9, condition_wait=7, notify=7),
}


def generate(seed, profile="tasks"):
    tight = profile == "contention"               # many tasks at once, short delays: waiters meet
    delays, limits = ([0, 0, 0, 1, 1, 2], [0, 1, 1, 2, 2, 3]) if tight else (DELAYS, None)
    rng, weights = random.Random(f"{profile}-{seed}"), PROFILES[profile]
    verbs, odds = list(weights), list(weights.values())

    def block(depth, most=4):
        return [statement(depth) for _ in range(rng.randint(1, most))]

    def statement(depth):
        verb = rng.choices(verbs, odds)[0].rstrip("_")
        if depth >= 3 and verb in ("spawn", "group", "timeout", "catch", "swallow", "finally", "lock", "semaphore"):
            verb = "sleep"
        if verb == "sleep":
            return ["sleep", rng.choice(delays)]
        if tight and verb == "notify":
            return ["notify", rng.choice([0, 0, 1, 2])]
        if verb in ("mark", "event_set", "put", "notify"):
            return [verb]
        if verb in ("cancel", "wait", "await", "shield"):
            return [verb, rng.randint(0, 5)]
        if verb in ("event_wait", "get", "condition_wait"):
            return [verb, rng.choice(limits or [1, 3, 4, 7])]
        if verb == "spawn":
            return ["spawn", block(depth + 1)]
        if verb == "group":
            return ["group", [block(depth + 1) for _ in range(rng.randint(1, 3))], block(depth + 1)]
        if verb == "timeout":
            return ["timeout", rng.choice([0, 1, 2, 3, 5]), block(depth + 1)]
        if verb == "throw":
            return ["throw", rng.randint(1, 3)]
        if verb in ("catch", "swallow"):
            return [verb, block(depth + 1)]
        if verb == "finally":
            return ["finally", block(depth + 1), block(depth + 1)]
        return [verb, rng.choice(limits or [2, 5, 9]), block(depth + 1)]        # lock, semaphore: give up after ms

    if tight:
        return [["spawn", block(1, 5)] for _ in range(rng.randint(3, 7))] + block(0, 6)
    return block(0, 6)


class Thrown(Exception):
    pass


def name(e):
    if isinstance(e, asyncio.CancelledError):
        return "cancelled"
    if isinstance(e, TimeoutError):
        return "timed_out"
    if isinstance(e, TaskCancelled):
        return "task_cancelled"
    if isinstance(e, BaseExceptionGroup):
        return "group[" + ",".join(name(x) for x in e.exceptions) + "]"
    return f"E{e.args[0]}" if isinstance(e, Thrown) else type(e).__name__


def run(program):
    loop, trace, tasks, unfinished = VirtualLoop(), [], [], {}
    loop.set_exception_handler(lambda *_: None)
    event, lock, semaphore, queue, condition = asyncio.Event(), Semaphore(1), Semaphore(2), Queue(2), asyncio.Condition(Semaphore(1))

    def log(verb, *rest):
        trace.append([loop.now, verb, *rest])

    def start(statements, create):
        number = len(tasks) + 1

        async def body():
            log("start", number)
            try:
                await execute(number, statements)
            except BaseException as e:
                log("end", number, name(e))
                raise
            log("end", number, "ok")
            while asyncio.current_task().uncancel():    # SWITCH: a task that returns has finished first
                pass

        task = create(body())
        tasks.append(task)
        unfinished[task] = None
        task.add_done_callback(lambda t: (unfinished.pop(t, None), t.cancelled() or t.exception()))
        log("spawn", number)

    def pick(index, first=0):                      # (number, task), or (0, None): the index wraps round tasks first+1..
        number = first + index % (len(tasks) - first) + 1 if len(tasks) > first else 0
        return number, tasks[number - 1] if number else None

    async def scoped(me, verb, ms, statements):    # a timeout scope whose outcome is logged
        try:
            async with timeout(ms / 1000):
                await execute(me, statements)
        except BaseException as e:
            log(verb, me, name(e))
            raise
        log(verb, me, "ok")

    async def within(ms, awaitable):               # True if it came in time
        try:
            async with timeout(ms / 1000):
                await awaitable
            return True
        except TimeoutError:
            return False

    async def execute(me, statements):
        for verb, *a in statements:
            if verb == "sleep":
                await asyncio.sleep(a[0] / 1000)
                log("woke", me)
            elif verb == "mark":
                log("mark", me)
            elif verb == "spawn":
                start(a[0], lambda c: loop.create_task(c))
            elif verb == "cancel":
                number, task = pick(a[0])
                if task:
                    log("cancel", me, number, task.cancel())
            elif verb == "wait":                   # joins for at most 10 ms, cancels nothing
                number, task = pick(a[0])
                if task and task is not asyncio.current_task():
                    done, _ = await asyncio.wait([task], timeout=0.010)
                    log("waited", me, number, len(done))
            elif verb in ("await", "shield"):      # 'await' passes a cancel on, 'shield' doesn't; both give up after 6 ms
                number, task = pick(a[0], me)      # only later tasks: no cycles
                if task:
                    try:
                        async with timeout(0.006):
                            await await_task(asyncio.shield(task) if verb == "shield" else task)
                        log("joined", me, number, "ok")
                    except Exception as e:
                        log("joined", me, number, name(e))
            elif verb == "group":
                try:
                    async with TaskGroup() as group:
                        for child in a[0]:
                            start(child, group.create_task)
                        await execute(me, a[1])
                except BaseException as e:
                    log("group", me, name(e))
                    raise
                log("group", me, "ok")
            elif verb == "timeout":
                await scoped(me, "timeout", a[0], a[1])
            elif verb == "throw":
                raise Thrown(a[0])
            elif verb == "catch":
                try:
                    await execute(me, a[0])
                except Exception as e:
                    log("caught", me, name(e))
            elif verb == "swallow":
                try:
                    await execute(me, a[0])
                except BaseException as e:
                    log("swallowed", me, name(e), asyncio.current_task().cancelling())
            elif verb == "finally":
                try:
                    await execute(me, a[0])
                finally:
                    log("finally", me)
                    await execute(me, a[1])
            elif verb == "event_set":
                event.set()
                event.clear()
                log("set", me)
            elif verb == "event_wait":
                log("event", me, await within(a[0], event.wait()))
            elif verb in ("lock", "semaphore"):
                primitive = lock if verb == "lock" else semaphore
                if await within(a[0], primitive.acquire()):
                    log("acquired", me, verb)
                    try:
                        await execute(me, a[1])
                    finally:
                        primitive.release()
                        log("released", me, verb)
                else:
                    log("gave_up", me, verb)
            elif verb == "put":
                log("put", me, await within(4, queue.put(me)))
            elif verb == "get":
                try:
                    async with timeout(a[0] / 1000):
                        item = await queue.get()
                    log("got", me, item)
                except TimeoutError:
                    log("got", me, 0)
            elif verb == "condition_wait":
                if await within(9, condition.acquire()):
                    try:
                        log("condition", me, await within(a[0], condition.wait()))
                    finally:
                        condition.release()
            elif verb == "notify":
                if await within(9, condition.acquire()):
                    condition.notify(1)
                    log("notified", me)
                    try:
                        if a and a[0]:            # holds the lock for a while: the woken waiter must wait for it
                            await asyncio.sleep(a[0] / 1000)
                    finally:
                        condition.release()

    async def main():
        async with timeout(1.0):
            await execute(0, program)

    events._set_running_loop(None)
    root = loop.create_task(main())
    try:
        loop.turn_until(root.done)
        log("main", 0, "cancelled" if root.cancelled() else name(root.exception()) if root.exception() else "ok")
        while leftovers := [t for t in tasks if not t.done()]:    # SWITCH: rounds, until no task is left
            log("leftovers", 0, len(leftovers))
            for task in leftovers:
                task.cancel()
            loop.turn_until(lambda: all(t.done() for t in leftovers))
    except Deadlock:
        log("deadlock", 0)
    for t in [root, *tasks]:
        if t.done() and not t.cancelled():
            t.exception()
    loop._ready.clear(), loop._scheduled.clear()
    loop.close()
    return trace


def lines(items):
    for item in items:
        print(json.dumps(item, separators=(",", ":")))


if __name__ == "__main__":
    command, *rest = sys.argv[1:] or ["help"]
    if command == "gen":
        lines({"seed": s, "program": generate(s, *rest[2:])} for s in range(int(rest[0]), int(rest[1])))
    elif command == "run":
        lines({"seed": (p := json.loads(line))["seed"], "trace": run(p["program"])} for line in sys.stdin)
    else:
        sys.exit(__doc__)
