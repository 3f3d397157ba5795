#!/usr/bin/env python3
"""trk_model_watch of libtrk: a program always has one whole version of its model, in the end the one that the alias
names, whatever happens to server, network or disk.

Usage: run_model_watch.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DEADLINE_S, DeploySite, Proxy, await_told, damages, deployment_of, tree_of, wait_for  # noqa: E402


def numbered(number):
    return {"MLmodel": b"version %d\n" % number, "weights": b"%d\n" % number * 20000}


def versions(site, count=2):
    model = os.path.basename(site.fresh("model"))
    return model, [site.version(numbered(number), model=model) for number in range(1, count + 1)]


class Program:
    """A program of the test's folder that follows a model; what it prints can be waited for."""

    def __init__(self, site, name, *words):
        path = os.path.join(os.path.dirname(site.program), name)
        self.process = subprocess.Popen([path, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=site.trk.environment)
        self.lines, self.at = [], 0
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")),
                                       daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def expect_both(self, one, other):
        """Waits for the next of each, in whatever order they come."""
        start = self.at
        self.expect(one)
        behind, self.at = self.at, start
        self.expect(other)
        self.at = max(self.at, behind)

    def expect(self, beginning):
        """Waits for the next such line."""
        def found():
            while self.at < len(self.lines):
                self.at += 1
                check(not self.lines[self.at - 1].startswith("FAILED"), self.lines[self.at - 1])
                if self.lines[self.at - 1].startswith(beginning):
                    return True
            return False
        wait_for(found, f"{beginning} behind {self.lines[-3:]}")
        return self.lines[self.at - 1]

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.end()

    def end(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        self.process.stdout.close()
        return status


def follow(site, model, to, keep=2, refused="", url=None, target=None):
    words = [url or site.daemon.url, model, "champion", to, str(keep), refused, *([target] if target else [])]
    return Program(site, "watch_model", *words)


def move(site, model, number):
    site.trk.run("models", "alias", model, "champion", str(number))


@case
def threads_use_whole_versions_while_the_alias_moves_and_the_server_dies(site):
    model, files = versions(site)
    to = site.fresh()
    with follow(site, model, to, keep=1) as program:
        program.expect("current 2")
        for turn in range(10):
            number = turn % 2 + 1
            if turn == 5:
                port = site.daemon.port
                site.daemon.kill()
                program.expect("warn")
                site.daemon.start(port)
            move(site, model, number)
            program.expect(f"current {number} ")
            check(site.holds(to) == files[number - 1], f"turn {turn}")
        check(program.end() == 0, program.lines[-3:])
        check(program.lines[-1].startswith("stopped 0 reads"), program.lines[-1])
    check(site.left_overs(to) == [], site.left_overs(to))


@case
def it_starts_with_the_copy_of_its_last_life_while_the_server_is_away(site):
    model, files = versions(site)
    to, port = site.fresh(), site.daemon.port
    with follow(site, model, to) as program:
        program.expect("current 2")
        program.kill()
    move(site, model, 1)
    site.daemon.kill()
    with follow(site, model, to) as program:
        program.expect_both("current 2 1", "warn")
        check(site.holds(to) == files[1], "what is there")
        site.daemon.start(port)
        program.expect("current 1 2")
    with open(f"{to}/current/weights", "ab") as file:
        file.write(b"7\n")
    with follow(site, model, to) as program:  # what was changed is not used
        check("no whole version" in program.expect("warn"), program.lines)
        program.expect("current 1")
        check(site.holds(to) == files[0], "fetched anew")


@case
def a_version_that_the_program_refuses_leaves_the_old_one(site):
    model, files = versions(site, 3)
    to = site.fresh()
    with follow(site, model, to, refused="2") as program:
        program.expect("current 3")
        move(site, model, 2)
        check("refused version 2" in program.expect("warn"), program.lines)
        check(site.holds(to) == files[2], "the old one")
        move(site, model, 1)
        program.expect("current 1")


@case
def a_version_in_use_stays_in_its_directory(site):
    model, _ = versions(site, 3)
    to = site.fresh()
    with follow(site, model, to, keep=1) as program:
        program.expect("current 3")
        held = os.path.realpath(f"{to}/current")
        program.say("hold")
        program.expect("did hold")
        for number in (1, 2, 1):
            move(site, model, number)
            program.expect(f"current {number} ")
        check(tree_of(held) in site.trees.values(), "held on to")
        program.say("drop")
        program.expect("did drop")
        move(site, model, 2)
        program.expect("current 2")
        wait_for(lambda: os.path.realpath(f"{to}/current") != held and not os.path.exists(held), "its removal")


@case
def a_flipped_byte_and_hostile_paths_never_arrive(site):
    model, files = versions(site)
    bad = threading.Event()
    for change, edit in damages(bad):
        move(site, model, 2)
        to = site.fresh()
        with Proxy(site.daemon.port) as proxy:
            proxy.change, proxy.edit = change, edit
            with follow(site, model, to, url=proxy.url) as program:
                program.expect("current 2")
                bad.set()
                move(site, model, 1)
                program.expect("warn")
                check(site.holds(to) == files[1] and not os.path.exists(f"{to}/escaped"), "the old one")
                bad.clear()
                program.expect("current 1")
                check(site.holds(to) == files[0], "whole in the end")


@case
def a_download_that_broke_off_is_gone_on_with_by_the_next_life(site):
    model, files = versions(site, 1)
    to = site.fresh()
    with Proxy(site.daemon.port) as proxy:
        proxy.gate = threading.Event()
        with follow(site, model, to, url=proxy.url) as program:
            check(proxy.stalled.wait(DEADLINE_S), "no download began")
            program.kill()
        proxy.gate.set()
        with follow(site, model, to, url=proxy.url) as program:
            program.expect("current 1")
        check(site.holds(to) == files[0], "whole")


@case
def directories_of_others_are_refused(site):
    model, _ = versions(site)
    to, deployed = site.fresh(), site.fresh()
    site.deploy(deployed, ref=f"{model}@champion")
    with follow(site, model, deployed) as program:
        check("trk deploy" in program.expect("status 1"), program.lines)
    with follow(site, model, to) as program:
        program.expect("current 2")
        with follow(site, model, to) as second:
            check(str(program.process.pid) in second.expect("status 6"), second.lines)
    with follow(site, model, f"{to}/no/such") as program:
        program.expect("status 3")
    with follow(site, "", to) as program:
        program.expect("status 1")


@case
def a_program_with_a_name_is_a_target_that_reports(site):
    model, _ = versions(site, 3)
    to, port = site.fresh(), site.daemon.port
    with follow(site, model, to, refused="2", target="dispatch") as program:
        first = await_told(site, to, state="active", version="3")
        check([first[key] for key in ("model", "alias", "environment", "target", "heartbeat_ms", "reason")] ==
              [model, "champion", "prod", "dispatch", 1000, ""] and first["actor"] and first["host"], first)
        await_told(site, to, state="active")
        wait_for(lambda: deployment_of(site, to)["last_seen_ms"] > first["last_seen_ms"] + 1500, "two heartbeats")
        move(site, model, 2)
        told = await_told(site, to, state="failed", version="3")
        check("version 2: the program refused" in told["reason"] and told["differs"], told)
        site.daemon.kill()
        program.expect("warn")
        site.daemon.start(port)
        move(site, model, 1)
        await_told(site, to, state="active", version="1", previous_version="3", reason="")
        client = site.daemon.connect()
        client.call("POST", "registered-models/rename", {"name": model, "new_name": f"{model}-new"})
        told = await_told(site, to, model=f"{model}-new", reason=f"Model '{model}' was renamed to '{model}-new'.")
        check((told["state"], told["version"]) == ("active", "1"), told)
        client.call("POST", "registered-models/rename", {"name": f"{model}-new", "new_name": model})
        client.close()
        await_told(site, to, model=model, reason="")
        check(program.end() == 0, program.lines[-3:])
    told = await_told(site, to, state="stale", version="1")
    check("ended" in told["reason"] and told["heartbeat_ms"] == 0, told)
    with follow(site, model, to, target="dispatch") as program:
        told = await_told(site, to, state="active", version="1", reason="")
        check(told["deployment_id"] == first["deployment_id"], "another target")
        program.kill()
    check("missed 3 heartbeats" in await_told(site, to, state="stale")["reason"], "it was not missed")


@case
def a_program_without_a_name_tells_nothing(site):
    model, _ = versions(site)
    to = site.fresh()
    with follow(site, model, to) as program:
        program.expect("current 2")
        check(program.end() == 0, program.lines[-3:])
    check(deployment_of(site, to) is None and site.left_overs(to) == [], site.left_overs(to))


@case
def the_example_goes_over_to_another_version_without_missing_a_request(site):
    model = os.path.basename(site.fresh("taxi"))
    for bias in (1, 2):
        site.version({"weights.csv": b"feature,weight\nbias,%d\ndistance,10\n74_75,0.5\n" % bias}, model=model)
    site.trk.environment["TRK_URL"] = site.daemon.url
    to = site.fresh()
    with Program(site, "hot_reload", model, "champion", to, "dispatch", "prod") as program:
        answers = []
        for number, other in ((2, 1), (1, 2)):
            program.say("74 75 1.5")
            first = program.expect("")
            answers.append(first)
            move(site, model, other)

            def has_changed():
                program.say("74 75 1.5")
                answers.append(program.expect(""))
                return f"version {other}" in answers[-1]
            wait_for(has_changed, "the other version")
        await_told(site, to, target="dispatch", environment="prod", state="active", version="2")
        check(set(answers) == {"16.50 version 1\n", "17.50 version 2\n"}, set(answers))
        check(program.end() == 0, "its end")


def main():
    with DeploySite("trk-model-watch-", os.path.abspath(binary(sys.argv, "trk"))) as site:
        run_cases(site, only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
