"""Recognises exceptions that interrupt a call, by where they were raised, not by their class.

A signal handler, a trace function or another thread may raise anything in the middle of any call. The
``TimeoutError`` of an alarm looks like that of a socket, and is the user's order to stop.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import CodeType, FrameType, TracebackType
from typing import Final

_INTERRUPTIBLE: Final = ("CALL", "RESUME", "JUMP_BACKWARD", "PRECALL")
"""The beginnings of the names of the instructions at which Python checks whether another thread has raised an
exception here [CPython, ``ceval.c``, ``CHECK_EVAL_BREAKER``]."""

_WORDLESS: Final = frozenset({"Empty", "MemoryError", "StopAsyncIteration", "StopIteration"})
"""The exceptions that functions in C raise without a message."""

_STAND_IN: Final = 6
"""Bytes of the code object that represents a function compiled to C [CPython, ``PyCode_NewEmpty``]."""


def interrupts(error: BaseException) -> bool:
    """Whether an exception was raised by something that interrupted the code: a signal handler, a trace or
    profile function, or another thread (``PyThreadState_SetAsyncExc``)."""
    entries = list(_entries(error.__traceback__))
    if any(_was_interrupted(outer.tb_frame, inner.tb_frame) for outer, inner in pairwise(entries)):
        return True
    silent = not error.args and type(error).__name__ not in _WORDLESS
    return bool(entries) and silent and _from_another_thread(entries[-1])


@contextmanager
def quietly(*kinds: type[Exception]) -> Generator[None]:
    """Drop exceptions of these kinds, unless they interrupted the code of the block."""
    try:
        yield
    except kinds as error:
        if interrupts(error):
            raise


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _was_interrupted(outer: FrameType, inner: FrameType) -> bool:
    """Whether ``inner`` was given the very frame that it interrupts, as handlers and trace functions are."""
    code = inner.f_code
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    for name in code.co_varnames[:count]:
        value = inner.f_locals.get(name)
        given = value if isinstance(value, tuple) else (value,)
        if any(each is outer for each in given):
            return True
    return False


def _from_another_thread(innermost: TracebackType) -> bool:
    """Whether nothing in the innermost frame raised it: no ``raise``, and no function in C, which would have
    set a message."""
    code: CodeType = innermost.tb_frame.f_code
    at = innermost.tb_lasti
    if len(code.co_code) <= _STAND_IN or not 0 <= at < len(code.co_code):
        return False
    return dis.opname[code.co_code[at]].startswith(_INTERRUPTIBLE)
