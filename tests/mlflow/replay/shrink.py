"""Shortens a case that differs, as long as it still differs in the same way."""
import copy

ATTEMPTS_MAX = 250


def shorten(steps, still_differs):
    """The shortest list of steps found; `still_differs(steps)` tries one."""
    left = ATTEMPTS_MAX
    progress = True
    while progress and left > 0:
        progress = False
        for candidate in candidates(steps):
            left -= 1
            if left <= 0:
                break
            if still_differs(candidate):
                steps = candidate
                progress = True
                break
    return steps


def candidates(steps):
    for index in range(len(steps) - 1, -1, -1):
        yield steps[:index] + steps[index + 1:]
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        for at in range(len(step.query)):
            yield replaced(steps, index, step.copy(query=step.query[:at] + step.query[at + 1:]))
            name, value = step.query[at]
            for shorter in shorter_texts(value):
                yield replaced(steps, index, step.copy(query=step.query[:at] + [(name, shorter)] + step.query[at + 1:]))
        if step.body is not None:
            for body in shorter_values(step.body):
                yield replaced(steps, index, step.copy(body=body))


def replaced(steps, index, step):
    return steps[:index] + [step] + steps[index + 1:]


def shorter_values(value):
    """Values with one thing less."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
        for key in value:
            for shorter in shorter_values(value[key]):
                changed = copy.copy(value)
                changed[key] = shorter
                yield changed
    elif isinstance(value, list):
        if len(value) > 8:
            yield value[:len(value) // 2]
            yield value[len(value) // 2:]
        for index in range(len(value)):
            yield value[:index] + value[index + 1:]
        for index in range(len(value)):
            for shorter in shorter_values(value[index]):
                yield value[:index] + [shorter] + value[index + 1:]
    elif isinstance(value, str):
        yield from shorter_texts(value)


def shorter_texts(text):
    parts = text.split(" AND ")
    if len(parts) > 1:
        for index in range(len(parts)):
            yield " AND ".join(parts[:index] + parts[index + 1:])
    elif len(text) > 40 and "{{" not in text:
        yield text[:len(text) // 2]
        yield text[len(text) // 2:]
