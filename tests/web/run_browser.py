#!/usr/bin/env python3
"""Drives the web page in a real browser against a real daemon.

run_browser.py BIN_DIR | --daemon PATH  [--screenshots DIR] [--runs N] [-k PART]
Ends with a line "N passed, M failed"; exits 1 if anything failed.
"""
import argparse
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from page_site import PageTest, Site, daemon  # noqa: E402


class Result(unittest.TextTestResult):
    """One line a test; a picture of what the browser showed for each that failed."""

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def line(self, word, test):
        print(f"{word:7} {test.id().replace('_test.', ' ')} {time.monotonic() - self.started:.1f} s", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test)

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test)

    def failed(self, test):
        self.line("FAILED", test)
        print(PageTest.site.seen(), daemon.last_words(), sep="\n", flush=True)
        if PageTest.screenshots:
            try:
                PageTest.site.browser.screenshot(os.path.join(PageTest.screenshots, f"failed-{test.id()}.png"))
            except Exception as e:  # the browser itself may be what failed
                print(f"        no picture: {e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin_dir", nargs="?", help="folder of the trackerd to test")
    parser.add_argument("--daemon", help="the trackerd to test")
    parser.add_argument("--screenshots", help="folder for pictures")
    parser.add_argument("--runs", type=int, default=10000, help="rows of the large table")
    parser.add_argument("-k", dest="part", action="append", help="only tests whose name has this part")
    options = parser.parse_args()
    daemon = options.daemon or (options.bin_dir and os.path.join(options.bin_dir, "trackerd"))
    if not daemon:
        parser.error("name the daemon: BIN_DIR or --daemon PATH")
    if options.screenshots:
        os.makedirs(options.screenshots, exist_ok=True)
        PageTest.screenshots = options.screenshots

    loader = unittest.TestLoader()
    if options.part:
        loader.testNamePatterns = [f"*{p}*" for p in options.part]
    suite = loader.discover(HERE, pattern="*_test.py")
    started = time.monotonic()
    PageTest.site = Site(daemon, options.runs)
    print(f"seeded {options.runs} runs and more in {time.monotonic() - started:.0f} s", flush=True)
    ended_badly = 0
    try:
        result = unittest.TextTestRunner(resultclass=Result, verbosity=0, stream=sys.stdout).run(suite)
    finally:
        try:
            PageTest.site.close()
        except daemon.Failure as failure:
            print(failure)
            ended_badly = 1
    failed = len(result.failures) + len(result.errors) + ended_badly
    print(f"{result.testsRun - len(result.failures) - len(result.errors)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
