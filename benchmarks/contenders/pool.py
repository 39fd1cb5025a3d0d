"""Python's own pools: the same questions, asked in Python. The answer goes to descriptor 3."""

import json
import multiprocessing
import os
import random
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def noop(_=None):
    return None


def spin(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


def sleep(ms):
    time.sleep(ms / 1000)


def who(ms):
    spin(ms)
    return f"{os.getpid()}/{threading.get_ident()}"


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def double(n):
    return n * 2


def echo(data):
    return data


class Pool:
    def __init__(self, kind, workers):
        self.kind, self.workers = kind, workers
        if kind == "pool":
            self.pool = multiprocessing.Pool(workers)
            self.submit = lambda work, arg: self.pool.apply_async(work, (arg,)).get
        else:
            self.pool = {"thread": ThreadPoolExecutor, "process": ProcessPoolExecutor}[kind](workers)
            self.submit = lambda work, arg: self.pool.submit(work, arg).result

    def call(self, work, arg=None):
        return self.submit(work, arg)()

    def all(self, work, args):
        return [result() for result in [self.submit(work, arg) for arg in args]]

    def map(self, work, items):
        if self.kind == "process":
            return sum(self.pool.map(work, items, chunksize=max(1, len(items) // 64)))
        return sum(self.pool.map(work, items))

    def ready(self):
        seen = set()
        while len(seen) < self.workers:
            seen.update(self.all(who, [2] * self.workers))
        return self

    def close(self):
        if self.kind == "pool":
            self.pool.close()
            self.pool.join()
        else:
            self.pool.shutdown()


def clock():
    return time.perf_counter() * 1000


def timed(run):
    start = clock()
    run()
    return clock() - start


def w1(size, kind, _):
    start = clock()
    pool = Pool(kind, size["workers"])
    pool.all(sleep, [size["millis"]] * size["calls"])
    pool.close()
    return {"wall": (clock() - start) / 1000}


def w2(size, kind, _):
    pool = Pool(kind, size["workers"]).ready()
    return {"rate": size["calls"] / timed(lambda: pool.all(noop, [None] * size["calls"])) * 1000}


def w3(size, kind, _):
    pool = Pool(kind, size["workers"]).ready()
    took = sorted(timed(lambda: pool.call(noop)) * 1000 for _ in range(size["calls"]))
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)]}


def w4(size, kind, _):
    pool = Pool(kind, size["workers"]).ready()
    items = list(range(size["items"] // 10 if kind == "thread" else size["items"]))
    return {"rate": len(items) / timed(lambda: pool.map(double, items)) * 1000}


def w5(size, kind, _):
    pool = Pool(kind, 1).ready()
    found = {}
    for name, length, times in (("KB1", 1, 200), ("KB64", 64, 50), ("MB1", 1024, 20), ("MB16", 16384, 5), ("MB64", 65536, 3)):
        if length > size["largest"]:
            continue
        data = bytes([7]) * (length * 1024)
        pool.call(echo, data)
        took = sorted(timed(lambda data=data: pool.call(echo, data)) for _ in range(times))
        found[name] = 2 * length / 1024 / took[len(took) // 2] * 1000
    return found


def w6(size, kind, _):
    n = 24  # about as long as Node's `size["n"]`
    alone = timed(lambda: [fib(n) for _ in range(20)]) / 20
    pool = Pool(kind, size["workers"]).ready()
    return {"efficiency": size["calls"] * alone / timed(lambda: pool.all(fib, [n] * size["calls"])) / size["workers"]}


def w7(size, kind, _):
    start = clock()
    pool = Pool(kind, size["workers"])
    pool.call(who, 2)
    first = clock() - start
    pool.ready()
    ready = clock() - start
    return {"first": first, "ready": ready, "close": timed(pool.close)}


def w8(size, kind, round_):
    order = [1] * size["short"] + [100] * size["long"]
    random.Random(round_).shuffle(order)
    pool = Pool(kind, size["workers"]).ready()
    return {"makespan": timed(lambda: pool.all(spin, order)) / (sum(order) / size["workers"])}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    measure = {"W1": w1, "W2": w2, "W2e": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W7": w7, "W8": w8}[asked["id"]]
    answer = measure(asked["size"], asked["contender"]["variant"], asked["round"])
    os.write(3, json.dumps(answer).encode())
    os._exit(0)
