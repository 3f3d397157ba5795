"""Runs a replay: the scripted log, then random cases; see ../run_replay."""
import argparse
import os
import random
import signal
import sys
import time

import generator
import script
import shrink
from compare import Comparer, message_prefix
from listed import Listed
from peers import Peer, Released, start_trackerd, version_of
from steps import MissingVariable, Pair

FIXED_SEEDS = (20, 21)
CASES = 300      # in all; half of them with each seed
FAILURES_MAX = 40
TRIES_A_CASE = 200  # of --only
HERE = os.path.dirname(os.path.abspath(__file__))


class Report:
    """Counts, and prints what is not listed."""

    def __init__(self, listed):
        self.listed = listed
        self.unlisted = 0
        self.known = set()

    def is_new(self, step, difference):
        """False for what was printed already and would only be printed in other words."""
        signature = (step.endpoint, difference.what, difference.place, message_prefix(difference.theirs),
                     message_prefix(difference.ours))
        if signature in self.known:
            self.unlisted += 1
            return False
        self.known.add(signature)
        return True

    def judge(self, place, step, differences):
        """True when all of them are listed."""
        unlisted = [d for d in differences if self.listed.explain(step, d) is None]
        for difference in unlisted:
            self.unlisted += 1
            print(f"UNLISTED  {place}\n    {step}\n    {difference}", flush=True)
        return not unlisted


def play_script(pair, report, only):
    for path in script.files():
        pair.fresh()
        name = os.path.basename(path)
        for step in script.read(path):
            if only and only not in step.title and only not in name and not step.captures:
                continue
            try:
                _, _, differences = pair.replay(step)
            except MissingVariable as missing:
                print(f"UNLISTED  {name}: {step.title}: {missing} was not captured", flush=True)
                report.unlisted += 1
                continue
            report.judge(f"{name}: {step.title}", step, differences)


def play_case(pair, listed, case):
    """(step, unlisted differences) of the first step that has some, or (None, []). A case ends where the servers
    part, listed or not: what follows would be about that."""
    pair.fresh()
    for step in case.steps:
        try:
            _, _, differences = pair.replay(step)
        except MissingVariable:
            return None, []
        unlisted = [d for d in differences if listed.explain(step, d) is None]
        if unlisted:
            return step, unlisted
        if any(d.what == "answer" for d in differences):
            break
    return None, []


def play_random(pair, report, seed, count, only):
    chance = random.Random(seed)
    world = generator.World(pair, chance)
    done = tried = 0
    while done < count and len(report.known) < FAILURES_MAX and tried < TRIES_A_CASE * count:
        case = generator.case(world, chance)
        tried += 1
        if only and only not in case.name:
            continue
        done += 1
        step, differences = play_case(pair, report.listed, case)
        if step is None or not report.is_new(step, differences[0]):
            continue
        kind = differences[0].kind

        def still_differs(steps):
            where, found = play_case(pair, report.listed, generator.Case(case.name, steps))
            return where is not None and any(d.kind == kind for d in found)

        steps = shrink.shorten(case.steps, still_differs)
        step, differences = play_case(pair, report.listed, generator.Case(case.name, steps))
        print(f"---- case {done} of seed {seed}, {case.name}, in short:")
        for one in steps:
            print(f"    {one}")
        if step is None:
            print("UNLISTED  a difference that did not come again")
            report.unlisted += 1
        else:
            report.judge(case.name, step, differences)
    return done


def interpreter(path):
    if path:
        return path
    sys.path.insert(0, os.path.join(HERE, ".."))
    import environments
    return environments.ensure("newest")


def seeds_of(options):
    """A new one is for whoever looks for differences: what all tests run together find must not be by chance."""
    if options.seed is not None:
        return [options.seed]
    return [FIXED_SEEDS[0], random.SystemRandom().randrange(10**9)] if options.cases else FIXED_SEEDS


def stop(_number, _frame):
    """So that what was started is stopped."""
    raise SystemExit("stopped")


def main(usage):
    parser = argparse.ArgumentParser(usage=usage, add_help=False)
    parser.add_argument("binaries")
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--python")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    python = interpreter(options.python)
    begin = time.monotonic()
    listed = Listed()
    report = Report(listed)
    comparer = Comparer()
    with Released(python) as released, \
            start_trackerd(os.path.join(options.binaries, "trackerd"), released.folder) as daemon:
        pair = Pair(Peer("released", released.port), Peer("trackerd", daemon.port), comparer)
        print(f"mlflow {version_of(python)} answers after {time.monotonic() - begin:.0f} s", flush=True)
        play_script(pair, report, options.only)
        scripted = pair.count
        cases = 0
        problems = [] if options.only else listed.compare_with_readme()
        seeds = seeds_of(options)
        for index, seed in enumerate(seeds):
            print(f"seed {seed}", flush=True)
            cases += play_random(pair, report, seed, (options.cases or CASES) // len(seeds), options.only)
            if index == 0 and not options.only:
                problems += [f"{name} is listed, but did not occur" for name in listed.gone()]
    print("\n".join(problems))
    print(f"{scripted} scripted requests, {cases} random cases ({pair.count - scripted} requests), "
          f"{sum(listed.seen.values())} listed differences of {len(listed.seen)} kinds, {report.unlisted} unlisted, "
          f"{time.monotonic() - begin:.0f} s")
    for name, count in sorted(listed.seen.items()):
        print(f"    {count:6} {name}")
    return 1 if report.unlisted or problems else 0
