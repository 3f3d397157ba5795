#!/usr/bin/env python3
"""The Debian packages in a Debian of their own: install, start by systemd, upgrade, remove, purge.

A minimal Debian is made with debootstrap in build/packages-test (kept for the next run), copied, and booted by
systemd-nspawn with a network of its own. Needs root, and what scripts/setup --tests installs."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from cases import case, check, run_cases  # noqa: E402

WORK = os.path.join(ROOT, "build", "packages-test")
BASE = os.path.join(WORK, "base")
MACHINE = os.path.join(WORK, "machine")
VERSIONS = ["0.9.0", "0.9.1"]
PACKAGES = ["trackerd", "trk", "libtrk1", "libtrk-dev"]
DEADLINE_S = 60
# What the base has beyond minbase: an init, and what compiles the program that uses the library.
INCLUDE = "systemd-sysv,adduser,gcc,libc6-dev,pkg-config,ca-certificates"

PROGRAM = r"""
#include <stdio.h>
#include <trk.h>

int main(void)
{
	struct trk_run *run;
	struct trk_run_options options = {.size = sizeof options, .experiment = "packaged"};
	if (trk_run_start(&options, &run) != TRK_OK || trk_log_metric(run, "loss", 0.5, 1) != TRK_OK)
		return 1;
	return trk_run_finish(run, TRK_RUN_FINISHED, 20000);
}
"""


def run(*command, **options):
    """Its output; fails with it."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def wait_for(what, condition, deadline_s=DEADLINE_S):
    """Until condition() is true, which it returns."""
    deadline = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {deadline_s} s")
        time.sleep(0.05)


# ---- a Debian -----------------------------------------------------------------------------------------------------

def make_base():
    """Once; a half-made one is made anew."""
    if os.path.exists(os.path.join(BASE, "made")):
        return
    shutil.rmtree(BASE, ignore_errors=True)
    os.makedirs(WORK, exist_ok=True)
    suite = re.search(r"VERSION_CODENAME=(\w+)", open("/etc/os-release").read()).group(1)
    mirror = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages").split()[0]
    run("debootstrap", "--variant=minbase", f"--include={INCLUDE}", suite, BASE, mirror)
    open(os.path.join(BASE, "made"), "w").close()


def make_packages(version):
    """Folder of the four packages."""
    run(os.path.join(ROOT, "scripts", "package"), version)
    folder = os.path.join(WORK, version)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in PACKAGES:
        (path,) = glob.glob(os.path.join(ROOT, "build", "release", "packages", f"{name}_{version}_*.deb"))
        shutil.move(path, folder)
    return folder


class Machine:
    """A copy of the base with the packages in /packages, booted; a context manager that powers it off."""

    def __init__(self, folders):
        shutil.rmtree(MACHINE, ignore_errors=True)
        run("cp", "-a", BASE, MACHINE)
        for folder in folders:
            shutil.copytree(folder, os.path.join(MACHINE, "packages", os.path.basename(folder)))
        with open(os.path.join(MACHINE, "program.c"), "w") as f:
            f.write(PROGRAM)
        self._fetch_dependencies(folders[0])
        self.log = open(os.path.join(WORK, "console.log"), "w")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--directory", MACHINE,
             "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        self.leader = None

    @staticmethod
    def _fetch_dependencies(folder):
        """Into the cache of apt, since the machine will have no network."""
        shutil.copy("/etc/resolv.conf", os.path.join(MACHINE, "etc", "resolv.conf"))
        run("chroot", MACHINE, "apt-get", "update")
        paths = [f"/packages/{os.path.basename(folder)}/{name}"
                 for name in sorted(os.listdir(folder))]
        run("chroot", MACHINE, "apt-get", "install", "--yes", "--no-install-recommends", "--download-only", *paths)

    def __enter__(self):
        try:
            wait_for("systemd in the machine", self._is_up)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _is_up(self):
        """systemd-nspawn's child is another one at first: the one that becomes init is looked for until it answers."""
        if self.nspawn.poll() is not None:
            raise AssertionError("systemd-nspawn ended:\n" + open(self.log.name).read()[-2000:])
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.nspawn.pid)], stdout=subprocess.PIPE,
                                  text=True).stdout.split()
        if not children:
            return False
        self.leader = children[-1]
        return self.status("systemctl", "is-system-running").strip() in ("running", "degraded")

    def __exit__(self, *_):
        if self.nspawn.poll() is None:
            self.nspawn.send_signal(signal.SIGTERM)  # powers the machine off
            try:
                self.nspawn.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        self.log.close()
        shutil.rmtree(MACHINE, ignore_errors=True)

    def _command(self, command):
        return ["nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
                "env", "-i", "--chdir=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                "DEBIAN_FRONTEND=noninteractive", "TRK_SPOOL_DIR=/tmp/spool", *command]

    def run(self, *command):
        return run(*self._command(command))

    def status(self, *command):
        """Its output, whatever its exit status."""
        return subprocess.run(self._command(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True).stdout

    def install(self, version):
        paths = [f"/packages/{version}/{name}" for name in sorted(os.listdir(f"{MACHINE}/packages/{version}"))]
        return self.run("apt-get", "install", "--yes", "--no-install-recommends", *paths)

    def property(self, name, unit="trackerd.service"):
        return self.run("systemctl", "show", "--property", name, "--value", unit).strip()

    def files(self):
        """Every path but those that come and go by themselves, or are apt's and dpkg's own."""
        passing = ("proc", "sys", "dev", "run", "tmp", "packages", "var/cache", "var/log", "var/lib/apt",
                   "var/lib/dpkg", "var/lib/systemd", "var/tmp", "etc/ld.so.cache", "root")
        found = set()
        for folder, folders, files in os.walk(MACHINE):
            place = os.path.relpath(folder, MACHINE)
            folders[:] = [name for name in folders if os.path.normpath(f"{place}/{name}") not in passing]
            found.update(os.path.normpath(f"{place}/{name}") for name in folders + files)
        return {path for path in found if not path.startswith(passing)}


# ---- cases --------------------------------------------------------------------------------------------------------

def logged(machine):
    return machine.run("trk", "runs", "list", "packaged", "--columns", "metrics.loss")


def is_new_main(machine, before):
    pid = machine.property("MainPID")
    return pid not in ("0", before) and machine.property("ActiveState") == "active"


@case
def installing_starts_and_enables_the_daemon(machine):
    machine.install(VERSIONS[0])
    check(machine.property("ActiveState") == "active", machine.status("systemctl", "status", "--no-pager", "trackerd"))
    status = machine.property("StatusText")
    check(status == "Listening on 127.0.0.1:5000", f"systemd was told {status!r}")
    check(machine.run("systemctl", "is-enabled", "trackerd").strip() == "enabled", "it is not enabled")
    owner = machine.run("stat", "-c", "%U:%G %a", "/var/lib/trackerd").strip()
    check(owner == "trackerd:trackerd 700", f"its data are {owner}")
    machine.run("trk", "doctor")
    for unit in ("trackerd.service", "trk-deploy@taxi.service"):
        said = machine.run("systemd-analyze", "--man=no", "verify", unit)
        check(said == "", f"{unit}: {said}")
    for program in ("trackerd", "trk"):
        check(os.path.exists(f"{MACHINE}/usr/share/man/man1/{program}.1.gz"), f"{program} has no manual")


@case
def a_program_built_with_libtrk_dev_logs(machine):
    machine.run("sh", "-c", "cc /program.c $(pkg-config --cflags --libs trk) -o /tmp/program && /tmp/program")
    check("0.5" in logged(machine), logged(machine))


@case
def a_daemon_that_hangs_is_restarted_and_loses_nothing(machine):
    machine.run("sh", "-c", "mkdir -p /run/systemd/system/trackerd.service.d &&"
                " printf '[Service]\\nWatchdogSec=5\\n' >/run/systemd/system/trackerd.service.d/watchdog.conf &&"
                " systemctl daemon-reload && systemctl restart trackerd")
    before = machine.property("MainPID")
    stamp = machine.property("WatchdogTimestampMonotonic")
    wait_for("a sign of life", lambda: machine.property("WatchdogTimestampMonotonic") != stamp)
    check(machine.property("MainPID") == before, "a living daemon was restarted")
    machine.run("systemctl", "kill", "--signal=STOP", "trackerd")
    wait_for("the restart of a daemon that hangs", lambda: is_new_main(machine, before))
    check("0.5" in logged(machine), logged(machine))


@case
def the_watcher_is_ready_with_the_first_version_and_follows_the_alias(machine):
    machine.run("sh", "-ec", """
        mkdir -p /tmp/model
        trk models create packaged
        for version in 1 2; do
            run=$(trk log run-start --experiment packaged)
            echo "$version" >/tmp/model/weights
            TRK_RUN_ID=$run trk log artifact /tmp/model/weights --path model/weights
            TRK_RUN_ID=$run trk log run-end
            trk models register "$run" model --name packaged
        done
        trk models alias packaged champion 1
        printf 'MODEL=packaged@champion\\nDIRECTORY=/srv/packaged\\nHOOK=touch /srv/hooked\\n' \
            >/etc/trackerd/deploy/packaged.conf
        systemctl start trk-deploy@packaged""")
    read = lambda: machine.status("cat", "/srv/packaged/current/weights").strip()  # noqa: E731
    check(read() == "1", f"ready, and there is {read()!r}")
    check(os.path.exists(f"{MACHINE}/srv/hooked"), "the hook was not called")
    machine.run("trk", "models", "alias", "packaged", "champion", "2")
    wait_for("the version that the alias names now", lambda: read() == "2")
    listed = machine.run("trk", "deployments")
    check("packaged" in listed, listed)


@case
def an_upgrade_restarts_it_and_keeps_data_and_configuration(machine):
    machine.run("sh", "-c", "echo '# mine' >>/etc/trackerd/trackerd.conf")
    before = machine.property("MainPID")
    machine.install(VERSIONS[1])
    wait_for("the upgraded daemon", lambda: is_new_main(machine, before))
    version = machine.run("dpkg-query", "-W", "-f", "${Version}", "trackerd")
    check(version == VERSIONS[1], version)
    check("0.5" in logged(machine), logged(machine))
    check("# mine" in machine.run("cat", "/etc/trackerd/trackerd.conf"), "the configuration was replaced")


@case
def removing_keeps_data_and_installing_again_goes_on_with_them(machine):
    machine.run("apt-get", "remove", "--yes", *PACKAGES)
    check(machine.property("ActiveState") == "inactive", "it still runs")
    for path in ("var/lib/trackerd/tracker.db", "etc/trackerd/trackerd.conf"):
        check(os.path.exists(f"{MACHINE}/{path}"), f"{path} is gone")
    machine.install(VERSIONS[1])
    wait_for("the daemon that was installed again", lambda: machine.property("ActiveState") == "active")
    check("0.5" in logged(machine), logged(machine))


@case
def purging_leaves_nothing(machine):
    machine.run("apt-get", "purge", "--yes", "--autoremove", *PACKAGES)
    # What was deployed is its owner's.
    left = sorted(path for path in machine.files() - machine.files_before if not path.startswith("srv/"))
    check(left == [], "\n".join(left))
    check("trackerd" not in open(f"{MACHINE}/etc/passwd").read(), "the user is still there")


def main():
    if os.geteuid() != 0:
        print("skipped: making a Debian to install into needs root")
        return
    make_base()
    tried = subprocess.run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
                            "--directory", BASE, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if tried.returncode != 0:
        print(f"skipped: this machine runs no containers: {tried.stdout.strip()}")
        return
    with Machine([make_packages(version) for version in VERSIONS]) as machine:
        machine.files_before = machine.files()
        run_cases(machine)


if __name__ == "__main__":
    main()
