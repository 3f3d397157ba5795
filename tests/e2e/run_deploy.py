#!/usr/bin/env python3
"""trk deploy: a version comes into use only if it works, and whatever fails, DIR/current is one whole version.

Usage: run_deploy.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from cli_support import LyingServer  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DEADLINE_S, DeploySite, Proxy, tree_of, wait_for  # noqa: E402

BIG = bytes(range(256)) * 4096  # 1 MiB


def numbered(number):
    return {"MLmodel": b"version %d\n" % number, "data/weights.bin": BIG + b"%d" % number}


def two_versions(site):
    """A directory that holds the first of two versions; (DIR, first, second)."""
    to, model = site.fresh(), os.path.basename(site.fresh("model"))
    first = site.version(numbered(1), model=model)
    site.deploy(to, ref=f"{model}@champion")
    return to, model, first, site.version(numbered(2), model=model)


@case
def a_first_deployment_an_upgrade_and_the_way_back(site):
    to, model, first, second = two_versions(site)
    check(site.holds(to) == first and not os.path.lexists(f"{to}/previous"), "the first version")
    done = json.loads(site.deploy(to, "--json", "--env", "prod", "--name", "edge", ref=f"{model}@champion").stdout)
    check(site.holds(to) == second and tree_of(f"{to}/previous") == first, "the upgrade")
    check((done["result"], done["version"], done["environment"], done["target"], done["fetched"]) ==
          ("active", "2", "prod", "edge", True), done)
    check(os.path.realpath(f"{to}/current") == done["path"], done["path"])
    back = site.trk.json("deploy", "--rollback", "--to", to)
    check(back["result"] == "rolled back" and back["version"] == "1", back)
    check(site.holds(to) == first and tree_of(f"{to}/previous") == second, "the way back")
    status = site.status(to)
    check((status["result"], status["interrupted"], status["environment"]) == ("rolled back", False, "prod"), status)
    check("version 1" in site.trk.out("deploy", "--status", "--to", to), "status for people")
    check(site.left_overs(to) == [], site.left_overs(to))


@case
def a_version_in_place_is_verified_and_left_alone(site):
    to, model, _, second = two_versions(site)
    marks = site.fresh()
    hook = ("--hook", f"echo x >> {marks}")
    site.deploy(to, *hook, ref=f"{model}@champion")
    check("unchanged" in site.deploy(to, *hook, ref=f"{model}@champion").stderr, "says so")
    check(open(marks).read() == "x\n", "no hook")
    site.deploy(to, *hook, "--force", ref=f"{model}@champion")
    check(open(marks).read() == "x\nx\n", "a hook with --force")
    with open(f"{to}/current/MLmodel", "wb") as file:
        file.write(b"damaged")
    site.deploy(to, ref=f"{model}@champion")
    check(site.holds(to) == second and site.left_overs(to) == [], "a damaged version is replaced")


@case
def the_hook_is_told_what_is_deployed(site):
    to, model, _, _ = two_versions(site)
    said = site.fresh()
    site.deploy(to, "--env", "prod", "--name", "edge", "--hook", f"env | grep ^TRK_ | sort > {said}",
                ref=f"{model}@champion")
    found = dict(line.rstrip("\n").split("=", 1) for line in open(said))
    current, previous = os.path.realpath(f"{to}/current"), os.path.realpath(f"{to}/previous")
    wanted = {"TRK_MODEL": model, "TRK_VERSION": "2", "TRK_PATH": current, "TRK_PREVIOUS_PATH": previous,
              "TRK_ENV": "prod", "TRK_TARGET": "edge", "TRK_CAUSE": "deploy"}
    check({k: found.get(k) for k in wanted} == wanted, found)


@case
def what_fails_puts_the_old_version_back_and_runs_the_hook_again(site):
    to, model, first, _ = two_versions(site)
    calls = site.fresh()
    tell = f'echo "$TRK_CAUSE $TRK_VERSION" >> {calls};'
    rows = [  # options, exit status, what is said, what the hook was called for
        (["--hook", f"{tell} echo no such unit; exit $((TRK_VERSION - 1))"], 1, "no such unit", True),
        (["--hook", tell, "--health", "echo sick; exit 3", "--health-retries", "1", "--health-interval", "0"], 7,
         "after 2 attempts: the health check ended with status 3; its last lines: sick", True),
        (["--hook", f"{tell} echo waiting; [ $TRK_VERSION = 1 ] || sleep 600", "--timeout", "1"], 8, "waiting", True),
        (["--hook", f"{tell} kill -9 $$"], 1, "killed by signal 9", True),
    ]
    for options, status, said, _ in rows:
        if os.path.exists(calls):
            os.unlink(calls)
        done = site.deploy(to, *options, ref=f"{model}@champion", expect=status)
        check(said in done.stderr, done.stderr)
        check(site.holds(to) == first and not os.path.lexists(f"{to}/previous"), f"after {said}")
        check(open(calls).read() == "deploy 2\nput-back 1\n", open(calls).read())
        check(site.status(to)["result"] == "failed", "the status says it")
        check(said.split(":")[0] in site.status(to)["reason"], site.status(to))


@case
def a_first_deployment_that_fails_leaves_no_model(site):
    to, model = site.fresh(), "failing"
    site.version(numbered(1), model=model)
    done = site.deploy(to, "--hook", "exit 1", ref=f"{model}@champion", expect=1)
    check("there was no model before" in done.stderr and site.holds(to) is None, done.stderr)
    site.trk.run("deploy", "--rollback", "--to", to, expect=1)


@case
def a_health_check_has_its_retries(site):
    to, model, _, second = two_versions(site)
    count = site.fresh()
    health = f"echo x >> {count}; [ $(wc -l < {count}) -ge 3 ]"
    site.deploy(to, "--health", health, "--health-retries", "2", "--health-interval", "0", ref=f"{model}@champion")
    check(site.holds(to) == second and open(count).read() == "x\n" * 3, "the third attempt")


@case
def a_hook_may_leave_something_running(site):
    to, model, _, second = two_versions(site)
    pid_file = site.fresh()
    site.deploy(to, "--hook", f"sleep 600 & echo $! > {pid_file}", "--timeout", "30", ref=f"{model}@champion")
    check(site.holds(to) == second, "does not wait for it")
    os.kill(int(open(pid_file).read()), signal.SIGKILL)  # fails if it is not there


@case
def a_byte_flipped_on_the_way_never_arrives(site):
    to, model, first, second = two_versions(site)
    with Proxy(site.daemon.port) as proxy:
        proxy.change = lambda path, body: (body[:-1] + bytes([body[-1] ^ 1]), False)
        done = site.deploy(to, url=proxy.url, ref=f"{model}@champion", expect=1)
        check("other bytes" in done.stderr and site.holds(to) == first, done.stderr)
        proxy.change = None
        site.deploy(to, url=proxy.url, ref=f"{model}@champion")
    check(site.holds(to) == second, "the honest bytes")


@case
def a_download_that_broke_off_is_gone_on_with(site):
    to, model, first, second = two_versions(site)
    with Proxy(site.daemon.port) as proxy:
        proxy.change = lambda path, body: (body[:len(body) // 2], True) if len(body) > 1000 else (body, False)
        site.deploy(to, url=proxy.url, ref=f"{model}@champion", expect=6)
        check(site.holds(to) == first, "half of it")
        proxy.change = None
        proxy.ranges.clear()
        site.deploy(to, url=proxy.url, ref=f"{model}@champion")
        check(site.holds(to) == second, "all of it")
        check(proxy.ranges == [f"bytes={(len(BIG) + 1) // 2}-"], proxy.ranges)


@case
def a_server_that_is_away_changes_nothing(site):
    to, model, first, _ = two_versions(site)
    site.deploy(to, url="http://127.0.0.1:1", ref=f"{model}@champion", expect=6)
    check(site.holds(to) == first, "what was there")
    site.trk.run("deploy", "--status", "--to", to, env={"TRK_URL": "http://127.0.0.1:1"})


@case
def of_two_deployers_the_second_is_told_who_holds_it(site):
    to, model, first, second = two_versions(site)
    with Proxy(site.daemon.port) as proxy:
        proxy.gate = threading.Event()
        holder = subprocess.Popen([site.program, "deploy", f"{model}@champion", "--to", to, "--url", proxy.url],
                                  env=site.trk.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            check(proxy.stalled.wait(DEADLINE_S), "no download began")
            done = site.deploy(to, ref=f"{model}@champion", expect=4)
            check(f"process {holder.pid}" in done.stderr, done.stderr)
            check(f"process {holder.pid}" in site.status(to)["busy"], site.status(to))
            check(site.holds(to) == first, "meanwhile")
        finally:
            proxy.gate.set()
            check(holder.wait(DEADLINE_S) == 0, holder.communicate()[1])
    check(site.holds(to) == second and "busy" not in site.status(to), "afterwards")


@case
def a_download_without_room_leaves_the_old_version(site):
    to, model, first, second = two_versions(site)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(BIG) // 2, len(BIG) // 2))  # noqa: E731
    done = subprocess.run([site.program, "deploy", f"{model}@champion", "--to", to], env=site.trk.environment,
                          capture_output=True, text=True, preexec_fn=lambda: (
                              signal.signal(signal.SIGXFSZ, signal.SIG_IGN), limit()), timeout=DEADLINE_S)
    check(done.returncode == 1 and "nothing was deployed" in done.stderr, done)
    check(site.holds(to) == first, "what was there")
    site.deploy(to, ref=f"{model}@champion")
    check(site.holds(to) == second, "with room")


@contextlib.contextmanager
def small_disk(path, size):
    """A tmpfs; None where mounting is not allowed."""
    os.mkdir(path)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True)
    try:
        yield path if mounted.returncode == 0 else None
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", path], check=True)


@case
def a_disk_that_fills_up_leaves_one_whole_version(site):
    model = "crowded"
    with small_disk(site.fresh("disk"), 3 << 20) as disk:
        if disk is None:
            print("        no mounting here: only the limit on sizes of files stands for a full disk")
            return
        to = os.path.join(disk, "to")
        first = site.version(numbered(1), model=model)
        site.deploy(to, ref=f"{model}@champion")
        large = site.version({"weights.bin": BIG * 3}, model=model)
        done = site.deploy(to, ref=f"{model}@champion", expect=1)
        check("needs" in done.stderr and "are free" in done.stderr and site.holds(to) == first, done.stderr)
        second = site.version(numbered(2), model=model)
        fill = f"head -c 8000000 /dev/zero > {disk}/filler 2>/dev/null; true"
        done = site.deploy(to, "--hook", fill, ref=f"{model}@champion", expect=1)
        check("is in place and works, but" in done.stderr and site.holds(to) == second, done.stderr)
        os.unlink(f"{disk}/filler")
        check(site.status(to)["interrupted"], "unfinished")
        os.symlink("/dev/null", f"{disk}/filler")  # what the hook writes now takes no room
        done = site.deploy(to, ref=f"{model}@champion", expect=0)
        check("was finished" in done.stderr and not site.status(to)["interrupted"], done.stderr)
        check(site.holds(to) == second and tree_of(f"{to}/previous") == first and large, "in the end")


@case
def a_version_larger_than_the_disk_is_refused_before_a_byte_is_fetched(site):
    def grow(manifest):
        manifest["files"][0]["file_size"] = 1 << 60
        return manifest
    to = site.fresh()
    with LyingServer({"x": b"1"}, manifest=grow) as server:
        done = site.deploy(to, url=server.url, ref="m@a", expect=1)
        check("are free" in done.stderr and site.holds(to) is None, done.stderr)
        check(not any("/artifacts/1/" in path for path, _ in server.requests), server.requests)


@case
def hostile_paths_write_nothing(site):
    outside = os.path.join(site.home, "evil")
    for path in ("../evil", "../../evil", outside, "a/../../evil", "a/./b", "", "a//b", "c\\d"):
        def lie(manifest, path=path):
            manifest["files"][0]["path"] = path
            return manifest
        to = site.fresh()
        with LyingServer({"x": b"1"}, manifest=lie) as server:
            site.deploy(to, url=server.url, ref="m@a", expect=1)
        check(not os.path.exists(to) and not os.path.exists(outside), repr(path))


@case
def links_and_folders_of_others_are_refused(site):
    site.version(numbered(1), model="links")
    for name, make in (("current", os.mkdir), ("current", lambda p: os.symlink("/etc", p)),
                       (".trk-deploy", lambda p: os.symlink(site.home, p)),
                       ("versions", lambda p: os.symlink(site.home, p))):
        to = site.fresh()
        os.mkdir(to)
        make(f"{to}/{name}")
        before = set(os.listdir(site.home))
        site.deploy(to, ref="links@champion", expect=1)
        check(set(os.listdir(site.home)) == before, f"{name}: nothing beside it")


@case
def odd_names_become_harmless_folders(site):
    for model in ("taxi €$(x)", "=-rf", "a..b", "a" * 200, "名前", "x y'\"z"):
        to = site.fresh()
        files = site.version(numbered(1), model=model)
        site.deploy(to, "--hook", f'[ "$TRK_PATH" = "$(realpath {to}/current)" ]', ref=f"{model}/1")
        name, = os.listdir(f"{to}/versions")
        check(site.holds(to) == files and name.isascii() and " " not in name and name[0] not in ".-", name)
        check(site.status(to)["versions"][0]["model"] == model, model)


@case
def old_versions_go_but_never_the_current_or_the_previous_one(site):
    to, model = site.fresh(), "kept"
    for number in range(1, 6):
        site.version(numbered(number), model=model)
        done = json.loads(site.deploy(to, "--keep", "3", "--json", ref=f"{model}@champion").stdout)
        check(len(os.listdir(f"{to}/versions")) == min(number, 3), os.listdir(f"{to}/versions"))
        check(len(done["removed"]) == (1 if number > 3 else 0), done)
    site.deploy(to, "--keep", "1", "--force", ref=f"{model}@champion")
    left = {os.path.realpath(f"{to}/versions/{name}") for name in os.listdir(f"{to}/versions")}
    check(left == {os.path.realpath(f"{to}/current"), os.path.realpath(f"{to}/previous")}, left)
    site.deploy(to, "--keep", "0", ref=f"{model}@champion", expect=2)


@case
def a_dry_run_changes_nothing(site):
    to, model = site.fresh(), "dry"
    site.version(numbered(1), model=model)
    said = site.deploy(to, "--dry-run", "--hook", "exit 1", ref=f"{model}@champion").stdout
    check("would fetch 2 files" in said and "would run the hook: exit 1" in said and not os.path.exists(to), said)
    site.deploy(to, ref=f"{model}@champion")
    before = sorted(os.listdir(f"{to}/.trk-deploy")), os.readlink(f"{to}/current")
    check("in place already" in site.deploy(to, "--dry-run", ref=f"{model}@champion").stdout, "unchanged")
    site.version(numbered(2), model=model)
    plan = json.loads(site.deploy(to, "--dry-run", "--json", ref=f"{model}@champion").stdout)
    check((plan["dry_run"], plan["version"], plan["fetched"]) == (True, "2", True), plan)
    check(before == (sorted(os.listdir(f"{to}/.trk-deploy")), os.readlink(f"{to}/current")), "nothing changed")


@case
def ctrl_c_in_a_hook_puts_the_old_version_back(site):
    to, model, first, _ = two_versions(site)
    mark = site.fresh()
    process = subprocess.Popen([site.program, "deploy", f"{model}@champion", "--to", to, "--hook",
                                f"touch {mark}; [ $TRK_VERSION = 1 ] || sleep 600"], env=site.trk.environment,
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: os.path.exists(mark), "the hook")
    process.send_signal(signal.SIGINT)
    check(process.wait(DEADLINE_S) == 130, process.communicate())
    check(site.holds(to) == first and not site.status(to)["interrupted"], "what was there")


@case
def mistakes_have_their_statuses(site):
    to = site.fresh()
    site.version(numbered(1), model="wrong")
    for words, status in ((["wrong@champion"], 2), (["--to", to], 2), (["wrong@nobody", "--to", to], 3),
                          (["nothing@x", "--to", to], 3), (["wrong@champion", "--to", f"{to}/a/b"], 1),
                          (["--rollback", "--status", "--to", to], 2), (["wrong/1", "--rollback", "--to", to], 2),
                          (["--status", "--to", to], 3), (["--rollback", "--to", to], 3),
                          (["wrong/1", "--to", to, "--timeout", "0"], 2),
                          (["wrong/1", "--to", to, "--timeout", "86401"], 2)):
        site.trk.run("deploy", *words, expect=status)
        check(not os.path.exists(to), f"{words}: nothing is made")


@case
def a_state_that_makes_no_sense_is_an_error(site):
    to, model, first, _ = two_versions(site)
    path = f"{to}/.trk-deploy/state.json"
    for text in ("", "{}", "[1", '{"format":2,"phase":"idle"}', '{"format":1,"phase":"idle","to":"../x"}'):
        with open(path, "w") as file:
            file.write(text)
        site.deploy(to, ref=f"{model}@champion", expect=1)
        check(site.holds(to) == first, text)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    site.deploy(to, ref=f"{model}@champion")


def main():
    with DeploySite("trk-deploy-", os.path.abspath(binary(sys.argv, "trk"))) as site:
        run_cases(site, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
