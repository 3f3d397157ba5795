"""Runs the cases of a test program one after the other and says which failed. Python's standard library only."""
import sys
import time
import traceback

import daemon

CASES = []


def case(function):
    """Decorator: the function is a case; its docstring, or else its name, is the sentence that it proves."""
    CASES.append(function)
    return function


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def run_cases(*arguments, only=""):
    """Calls each case whose name contains `only` with the arguments; exits with 1 if any failed."""
    failures = []
    chosen = [function for function in CASES if only in function.__name__]
    for function in chosen:
        sentence = (function.__doc__ or function.__name__.replace("_", " ")).strip()
        begin = time.monotonic()
        daemon.forget_ended()
        try:
            function(*arguments)
        except Exception:  # whatever went wrong belongs to the report
            failures.append(sentence)
            traceback.print_exc(file=sys.stdout)
            print(daemon.last_words(), end="")
            print(f"FAILED  {sentence} ({time.monotonic() - begin:.1f} s)", flush=True)
            continue
        print(f"ok      {sentence} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{len(chosen) - len(failures)} of {len(chosen)} cases passed")
    sys.exit(1 if failures or not chosen else 0)
