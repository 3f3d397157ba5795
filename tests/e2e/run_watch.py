#!/usr/bin/env python3
"""trk deploy --watch: whatever happens to server, network, hook or watcher, DIR/current is one whole version, and in
the end the one that the alias names. And what the server is told of deployments.

Usage: run_watch.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import os
import signal
import socket
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DEADLINE_S, DeploySite, Proxy, Watcher, await_told, damages, deployment_of, wait_for  # noqa: E402


def numbered(number):
    return {"MLmodel": b"version %d\n" % number, "data/weights.bin": bytes([number]) * 100000}


def versions(site, count=2):
    """A model with so many versions; the alias names the last. (name, their files)"""
    model = os.path.basename(site.fresh("model"))
    return model, [site.version(numbered(number), model=model) for number in range(1, count + 1)]


@case
def it_follows_twenty_moves_back_and_forth_while_the_server_dies_twice(site):
    model, files = versions(site)
    with Watcher(site, f"{model}@champion") as watch:
        watch.expect("active", version="2")
        for move in range(20):
            number = move % 2 + 1
            if move in (6, 13):
                port = site.daemon.port
                site.daemon.kill()
                watch.expect("away")
                check(site.holds(watch.to) == files[number % 2], "what was there stays")
                site.daemon.start(port)
            watch.move(model, number)
            watch.expect("active", version=str(number))
            check(site.holds(watch.to) == files[number - 1], f"move {move}")
        check(watch.stop() == 0, "SIGTERM is its regular end")


@case
def it_starts_without_a_server_with_what_is_there_and_catches_up(site):
    model, files = versions(site)
    to, port = site.fresh(), site.daemon.port
    site.deploy(to, ref=f"{model}/1")
    site.daemon.kill()
    with Watcher(site, f"{model}@champion", to=to) as watch:
        watch.expect("away")
        check(site.holds(to) == files[0], "what is there")
        site.daemon.start(port)
        watch.expect("active", version="2")
        check(site.holds(to) == files[1], "caught up")


@case
def it_waits_for_an_alias_that_is_not_there_and_keeps_the_model_when_it_goes(site):
    model, files = versions(site)
    with Watcher(site, f"{model}@later") as watch:
        watch.expect("missing")
        site.trk.run("models", "alias", model, "later", "1")
        watch.expect("active", version="1")
        site.trk.run("models", "alias", model, "later", "--delete")
        watch.expect("missing")
        check(site.holds(watch.to) == files[0], "stays in use")
        site.trk.run("models", "alias", model, "later", "2")
        watch.expect("active", version="2")


@case
def a_model_that_is_renamed_stays_in_use_and_is_followed_again_under_its_old_name(site):
    model, files = versions(site)
    client = site.daemon.connect()
    with Watcher(site, f"{model}@champion") as watch:
        watch.expect("active", version="2")
        client.call("POST", "registered-models/rename", {"name": model, "new_name": f"{model}-new"})
        said = watch.expect("missing")["reason"]
        check(f"'{model}' was renamed to '{model}-new'" in said, said)
        check(site.holds(watch.to) == files[1], "stays in use")
        told = deployment_of(site, watch.to)
        check((told["model"], told["alias_version"], told["differs"]) == (f"{model}-new", "2", False), told)
        wait_for(lambda: "was renamed to" in deployment_of(site, watch.to)["reason"], "that it is not followed")
        site.trk.run("models", "alias", f"{model}-new", "champion", "1")
        client.call("POST", "registered-models/rename", {"name": f"{model}-new", "new_name": model})
        watch.expect("active", version="1")
        told = deployment_of(site, watch.to)
        check((told["model"], told["version"], told["differs"], told["reason"]) == (model, "1", False, ""), told)
    client.close()


@case
def a_version_that_fails_its_check_is_put_back_and_tried_again_later_or_when_the_alias_moves(site):
    model, files = versions(site, 3)
    sick = site.fresh()
    with open(sick, "wb"):
        pass
    health = f"[ $TRK_VERSION != 2 ] || [ ! -e {sick} ]"
    with Watcher(site, f"{model}@champion", "--health", health, "--health-retries", "0", "--retry", "1") as watch:
        watch.expect("active", version="3")
        watch.move(model, 2)
        watch.expect("failed", version="2")
        check(site.holds(watch.to) == files[2], "put back")
        told = {}

        def is_told():  # between two attempts
            told.update(deployment_of(site, watch.to))
            return told["state"] == "failed"

        wait_for(is_told, "the failure at the server")
        check((told["version"], told["differs"]) == ("3", True) and "health check" in told["reason"], told)
        watch.expect("failed", version="2")  # tried again by itself
        os.unlink(sick)
        watch.expect("active", version="2")
        check(site.holds(watch.to) == files[1], "the third attempt")
        with open(sick, "wb"):
            pass
        for number, event in ((1, "active"), (2, "failed"), (3, "active")):
            watch.move(model, number)
            watch.expect(event, version=str(number))
        check(site.holds(watch.to) == files[2], "a move ends the wait")


@case
def a_flipped_byte_and_hostile_paths_never_arrive(site):
    model, files = versions(site)
    bad = threading.Event()
    for change, edit in damages(bad):
        with Proxy(site.daemon.port) as proxy:
            proxy.change, proxy.edit = change, edit
            with Watcher(site, f"{model}@champion", url=proxy.url) as watch:
                watch.expect("active", version="2")
                bad.set()
                watch.move(model, 1)
                watch.expect("failed", version="1")
                check(site.holds(watch.to) == files[1], "the old version")
                check(not os.path.exists(f"{watch.to}/escaped") and not os.path.exists(f"{watch.to}/../escaped"), "out")
                bad.clear()
                watch.expect("active", version="1")
                check(site.holds(watch.to) == files[0] and site.left_overs(watch.to) == [], "whole in the end")
                watch.move(model, 2)
                watch.expect("active", version="2")


@case
def a_server_without_long_questions_is_asked_now_and_then(site):
    model, files = versions(site)
    with Proxy(site.daemon.port) as proxy:
        proxy.hidden = "/api/trackerd/v1/models/"
        with Watcher(site, f"{model}@champion", url=proxy.url) as watch:
            watch.expect("active", version="2")
            watch.move(model, 1)
            watch.expect("active", version="1")
            check(site.holds(watch.to) == files[0], "followed")


@case
def a_version_that_is_in_place_already_is_told_and_left_alone(site):
    model, files = versions(site)
    to, marks = site.fresh(), site.fresh()
    site.deploy(to, ref=f"{model}@champion")
    with Watcher(site, f"{model}@champion", "--hook", f"touch {marks}", to=to) as watch:
        check(watch.expect("unchanged")["version"] == "2" and not os.path.exists(marks), watch.events)
        watch.move(model, 1)
        watch.expect("active", version="1")
    check(os.path.exists(marks) and site.holds(to) == files[0], "the move")


@case
def the_directory_is_held_while_it_watches(site):
    model, _ = versions(site)
    with Watcher(site, f"{model}@champion") as watch:
        watch.expect("active")
        for words in ((f"{model}/1",), ("--rollback",)):
            said = site.trk.run("deploy", *words, "--to", watch.to, expect=4).stderr
            check(f"process {watch.process.pid}" in said, said)
        check(str(watch.process.pid) in site.status(watch.to)["busy"], "status says who")


@case
def a_signal_in_the_midst_of_a_hook_puts_the_old_version_back(site):
    model, files = versions(site)
    mark = site.fresh()
    hook = f"[ $TRK_VERSION = 2 ] || [ $TRK_CAUSE = put-back ] || {{ touch {mark}; sleep 600; }}"
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(mark)
        site.trk.run("models", "alias", model, "champion", "2")
        with Watcher(site, f"{model}@champion", "--hook", hook) as watch:
            watch.expect("active", version="2")
            watch.move(model, 1)
            wait_for(lambda: os.path.exists(mark), "the hook")
            check(watch.stop(number) == 0, number)
            check(site.holds(watch.to) == files[1] and not site.status(watch.to)["interrupted"], "put back")


@case
def the_server_is_told_of_each_state_and_sees_the_heartbeats(site):
    model, _ = versions(site)
    with Watcher(site, f"{model}@champion", "--heartbeat", "1", "--env", "prod", "--name", "edge") as watch:
        watch.expect("active", version="2")
        told = deployment_of(site, watch.to)
        check([told[key] for key in ("state", "model", "version", "alias", "environment", "target", "heartbeat_ms",
                                     "differs")] == ["active", model, "2", "champion", "prod", "edge", 1000, False], told)
        wait_for(lambda: deployment_of(site, watch.to)["last_seen_ms"] > told["last_seen_ms"] + 1500, "two heartbeats")
        client = site.daemon.connect()
        client.call("DELETE", f"/api/trackerd/v1/deployments/{told['deployment_id']}")
        wait_for(lambda: deployment_of(site, watch.to) is not None, "a report after it was forgotten")
        watch.move(model, 1)
        watch.expect("active", version="1")
        again = deployment_of(site, watch.to)
        check((again["deployment_id"], again["version"]) == (told["deployment_id"], "1"), again)
        path = f"/api/trackerd/v1/deployments/{told['deployment_id']}/history"
        states = [change["state"] for change in client.call("GET", path)["changes"]]
        check("deploying" in states and "active" in states, states)
        client.close()
    site.deploy(watch.to, "--rollback", ref=None)
    back = deployment_of(site, watch.to)
    check((back["state"], back["version"], back["previous_version"]) == ("rolled_back", "2", "1"), back)
    check((back["alias"], back["differs"], back["heartbeat_ms"]) == ("champion", True, 0), back)
    said = site.deploy(watch.to, "--rollback", ref=None, url="no address").stderr
    check("told" in said and site.status(watch.to)["result"] == "rolled back", said)


@case
def a_watch_that_ends_says_so_and_is_not_missed(site):
    model, files = versions(site)
    health = "[ $TRK_VERSION != 1 ]"
    words = "--heartbeat", "1", "--health", health, "--health-retries", "0"
    with Watcher(site, f"{model}@champion", *words) as watch:
        watch.expect("active", version="2")
        watch.stop()
        told = deployment_of(site, watch.to)
        check((told["state"], told["version"], told["heartbeat_ms"]) == ("active", "2", 0), told)
        check(told["reason"].startswith("not watched any more"), told)
        check(told["actor"] == site.trk.environment.get("TRK_USER", told["actor"]) != "", told)
    site.trk.run("models", "alias", model, "champion", "1")
    with Watcher(site, f"{model}@champion", *words, to=watch.to) as watch:
        watch.expect("failed", version="1")
        watch.stop()
        told = deployment_of(site, watch.to)
        check((told["state"], told["version"], told["heartbeat_ms"]) == ("failed", "2", 0), told)
        check("health check" in told["reason"] and "; not watched any more" in told["reason"], told)
    site.trk.run("models", "alias", model, "champion", "--delete")
    with Watcher(site, f"{model}@champion", *words, to=watch.to) as watch:  # watched again, whatever the alias says
        told = await_told(site, watch.to, "has no alias 'champion'", state="failed", version="2", heartbeat_ms=1000)
        check("health check" in told["reason"], told)
        check(site.holds(watch.to) == files[1], "what is there")
    with Watcher(site, f"{model}@champion", *words, to=watch.to) as watch:
        watch.expect("missing")
        watch.kill()
    wait_for(lambda: deployment_of(site, watch.to)["state"] == "stale", "that it is missed")


@case
def what_could_not_be_told_is_told_later(site):
    model, files = versions(site)
    to = site.fresh()
    with Proxy(site.daemon.port) as proxy:  # it takes no PUT
        said = site.deploy(to, ref=f"{model}@champion", url=proxy.url).stderr
        check("not told" in said and site.holds(to) == files[1] and deployment_of(site, to) is None, said)
    quiet = site.deploy(to, "--no-report", "--force", ref=f"{model}@champion").stderr
    check("not told" not in quiet and deployment_of(site, to) is None, quiet)
    port = site.daemon.port
    gone = site.fresh()
    hook = f"[ -e {gone} ] || {{ touch {gone}; until [ -e {gone}.back ]; do sleep 0.05; done; }}"
    with Watcher(site, f"{model}@champion", "--hook", hook, "--force") as watch:
        wait_for(lambda: os.path.exists(gone), "the hook")
        site.daemon.kill()
        with open(f"{gone}.back", "wb"):
            pass
        watch.expect("active", version="2")
        site.daemon.start(port)
        wait_for(lambda: (deployment_of(site, watch.to) or {}).get("state") == "active", "the report")


@case
def a_service_manager_hears_that_it_is_ready_alive_and_ending(site):
    model, _ = versions(site)
    path = f"\0{site.fresh('notify')}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    listener.settimeout(DEADLINE_S)
    env = {"NOTIFY_SOCKET": "@" + path[1:], "WATCHDOG_USEC": "1000000"}

    def hear(wanted):
        while wanted not in (said := listener.recv(4096).decode()):
            pass
        return said

    slow = "--hook", "sleep 2"
    with Watcher(site, f"{model}@champion", *slow, env=env) as watch:
        check("READY" not in hear("WATCHDOG=1"), "alive in the midst of a hook")
        check(f"{model}@champion version 2" in hear("READY=1"), "its status")
        hear("WATCHDOG=1")
        watch.move(model, 1)
        hear("STATUS=")
        check(watch.stop() == 0, "ends")
        hear("STOPPING=1")
    listener.close()


@case
def mistakes_have_their_statuses(site):
    model, _ = versions(site)
    to = site.fresh()
    for words in ((f"{model}/1", "--watch"), (f"{model}@champion", "--watch", "--dry-run"), ("--rollback", "--watch"),
                  (f"{model}@champion", "--watch", "--heartbeat", "0"),
                  (f"{model}@champion", "--watch", "--heartbeat", "86401"),
                  (f"{model}@champion", "--watch", "--retry", "0"), (f"{model}@champion", "--watch", "--url", "ftp://x")):
        site.trk.run("deploy", *words, "--to", to, expect=2)
        check(not os.path.exists(to), words)


def main():
    with DeploySite("trk-watch-", os.path.abspath(binary(sys.argv, "trk"))) as site:
        run_cases(site, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
