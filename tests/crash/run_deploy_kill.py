#!/usr/bin/env python3
"""kill -9 of "trk deploy" at each of its steps: DIR/current is one whole version at every instant, and the next
deployment finishes what was begun.

The builds that tests run have a point to die at in every step ($TRK_DEPLOY_FAULT).

Usage: run_deploy_kill.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import os
import re
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DEADLINE_S, DeploySite, Proxy, Watcher, tree_of  # noqa: E402

SOURCES = [os.path.join(HERE, "..", "..", "client", folder) for folder in ("cli", "src")]
# Points in the order in which a deployment passes them; is the new version in place then?
OLD, NEW = "old", "new"
POINTS = [("staging", OLD), ("downloaded", OLD), ("synced", OLD), ("recorded", OLD), ("placed", OLD),
          ("journalled", OLD), ("previous", OLD), ("swapped", NEW), ("hooked", NEW), ("healthy", NEW),
          ("trashed", NEW), ("pruned", NEW)]
POINTS_BACK = [("putting_back", NEW), ("put_back", OLD)]
JOURNALLED = {"journalled", "previous", "swapped", "hooked", "healthy", "putting_back", "put_back"}
PASSES = ("--hook", "true", "--health", "true", "--health-interval", "0")


def numbered(number):
    return {"MLmodel": b"version %d\n" % number, "data/weights.bin": bytes([number]) * 300000}


class Reader(threading.Thread):
    """Reads DIR/current again and again, as a service would: it must be whole whenever it is opened."""

    def __init__(self, site, to):
        super().__init__(daemon=True)
        self.site, self.to = site, to
        self.seen, self.failure = 0, None
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set() and self.failure is None:
            try:
                folder = os.path.realpath(f"{self.to}/current")  # held on to: the link may move on
                if tree_of(folder) not in self.site.trees.values():
                    self.failure = f"{folder} is not whole"
                self.seen += 1
            except OSError as failure:
                self.failure = failure

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()
        check(self.failure is None and self.seen > 0, f"a reader met: {self.failure}")


def prepare(site, name):
    """A directory with three versions deployed, and a fourth that the alias names."""
    to = site.fresh()
    for number in range(1, 4):
        site.version(numbered(number), model=name)
        site.deploy(to, ref=f"{name}@champion")
    return to, numbered(3), site.version(numbered(4), model=name)


def die(site, to, name, point, *options):
    words = [site.program, "deploy", f"{name}@champion", "--to", to, *options]
    done = subprocess.run(words, env={**site.trk.environment, "TRK_DEPLOY_FAULT": point}, capture_output=True,
                          text=True, timeout=DEADLINE_S)
    check(done.returncode == -signal.SIGKILL, f"it did not die at {point}: {done}")


def check_settled(site, to, what):
    check(not site.status(to)["interrupted"] and site.left_overs(to) == [], f"{what}: {site.left_overs(to)}")
    known = {version["directory"] for version in site.status(to)["versions"]}
    check(set(os.listdir(f"{to}/versions")) == known and len(known) <= 3, f"{what}: versions {known}")


@case
def every_point_in_the_code_is_killed_at_here(site):
    found = set()
    for path in (os.path.join(folder, name) for folder in SOURCES for name in os.listdir(folder)):
        with open(path, encoding="utf-8") as file:
            found |= set(re.findall(r'DEPLOY_FAULT\("(\w+)"\)', file.read()))
    check(found == {point for point, _ in POINTS + POINTS_BACK}, found)


@case
def killed_at_any_step_it_is_whole_and_the_next_one_finishes(site):
    for point, state in POINTS:
        to, old, new = prepare(site, f"k-{point}")
        with Reader(site, to):
            die(site, to, f"k-{point}", point, *PASSES)
            check(site.holds(to) == (new if state == NEW else old), f"{point}: {state}")
            check(site.status(to)["interrupted"] == (point in JOURNALLED), f"{point}: {site.status(to)}")
            site.deploy(to, *PASSES, ref=f"k-{point}@champion")
        check(site.holds(to) == new and tree_of(f"{to}/previous") == old, f"{point}: the next one")
        check_settled(site, to, point)


@case
def killed_in_front_of_a_check_that_fails_it_is_undone(site):
    for point in ("swapped", "hooked"):
        to, old, _ = prepare(site, f"u-{point}")
        before = tree_of(f"{to}/previous")
        with Reader(site, to):
            sick = site.fresh()
            die(site, to, f"u-{point}", point, "--hook", "true", "--health", f"[ ! -e {sick} ]", "--health-retries", "0")
            with open(sick, "wb"):
                pass
            # The next one settles first, also when its server is away.
            said = site.deploy(to, ref=f"u-{point}@champion", url="http://127.0.0.1:1", expect=6).stderr
        check("was undone" in said and site.holds(to) == old, said)
        check(tree_of(f"{to}/previous") == before and not site.status(to)["interrupted"], point)


@case
def killed_on_the_way_back_it_comes_back(site):
    for point, state in POINTS_BACK:
        to, old, new = prepare(site, f"b-{point}")
        before, calls = tree_of(f"{to}/previous"), site.fresh()
        with Reader(site, to):
            die(site, to, f"b-{point}", point, "--hook", f"echo $TRK_CAUSE >> {calls}", "--health", "false",
                "--health-retries", "0")
            check(site.holds(to) == (new if state == NEW else old), f"{point}: {state}")
            site.deploy(to, ref=f"b-{point}@champion", url="http://127.0.0.1:1", expect=6)
        check(site.holds(to) == old and tree_of(f"{to}/previous") == before, f"{point}: back")
        check(open(calls).read() == "deploy\nput-back\n", open(calls).read())


@case
def a_first_deployment_killed_at_any_step_leaves_nothing_or_a_whole_version(site):
    for point, state in POINTS[:10]:
        to, name = site.fresh(), f"f-{point}"
        files = site.version(numbered(1), model=name)
        die(site, to, name, point, *PASSES)
        check(site.holds(to) == (files if state == NEW else None), point)
        site.deploy(to, *PASSES, ref=f"{name}@champion")
        check(site.holds(to) == files and not os.path.lexists(f"{to}/previous"), point)
        check_settled(site, to, point)


@case
def a_rollback_killed_at_any_step_is_finished(site):
    for point in ("journalled", "previous", "swapped", "hooked", "healthy"):
        to, current, _ = prepare(site, f"r-{point}")
        previous = tree_of(f"{to}/previous")
        with Reader(site, to):
            done = subprocess.run([site.program, "deploy", "--rollback", "--to", to, *PASSES], timeout=DEADLINE_S,
                                  env={**site.trk.environment, "TRK_DEPLOY_FAULT": point}, capture_output=True)
            check(done.returncode == -signal.SIGKILL, done)
            site.deploy(to, ref=f"r-{point}@champion", url="http://127.0.0.1:1", expect=6)
        is_back = point in ("swapped", "hooked", "healthy")
        check(site.holds(to) == (previous if is_back else current), point)
        check(tree_of(f"{to}/previous") == (current if is_back else previous), point)


@case
def a_watcher_killed_at_any_step_is_followed_by_one_that_finishes(site):
    for point, state in POINTS + POINTS_BACK:
        name = f"w-{point}"
        to, old, new = prepare(site, name)
        back = ("--health", "false", "--health-retries", "0") if (point, state) in POINTS_BACK else PASSES
        with Reader(site, to):
            with Watcher(site, f"{name}@champion", *back, to=to, env={"TRK_DEPLOY_FAULT": point}) as watch:
                check(watch.process.wait(DEADLINE_S) == -signal.SIGKILL, f"it did not die at {point}")
            check(site.holds(to) == (new if state == NEW else old), f"{point}: {state}")
            with Watcher(site, f"{name}@champion", *PASSES, to=to) as watch:
                watch.expect("active|unchanged")
                check(site.holds(to) == new, f"{point}: the next one")
        check_settled(site, to, point)


@case
def killed_in_the_midst_of_a_file_the_download_goes_on(site):
    to, old, new = prepare(site, "mid")
    with Reader(site, to), Proxy(site.daemon.port) as proxy:
        proxy.gate = threading.Event()
        process = subprocess.Popen([site.program, "deploy", "mid@champion", "--to", to, "--url", proxy.url],
                                   env=site.trk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check(proxy.stalled.wait(DEADLINE_S), "no download began")
        process.kill()
        process.wait(DEADLINE_S)
        proxy.gate.set()
        check(site.holds(to) == old, "half of a file")
        site.deploy(to, ref="mid@champion")
    check(site.holds(to) == new, "all of it")
    check_settled(site, to, "a download")


def main():
    with DeploySite("trk-deploy-kill-", os.path.abspath(binary(sys.argv, "trk"))) as site:
        run_cases(site, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
