"""A process that is killed and begun again until it has done what it is for."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from . import durable_lives as lives
from .durable_laws import lives_of
from .durable_lives import DONE, whole_lines

Context: Final[Any] = multiprocessing.get_context("forkserver")
Context.set_forkserver_preload(["chaos.durable_lives"])


class Role:
    """A process that is begun again whenever it is killed.

    Args:
        target: what it does.
        arguments: the last is the file with its notes.
        places: the events at which it is killed, in their order. 0: before it has been handed any.
        named: more for ``target``.
    """

    def __init__(
        self, target: Callable[..., None], arguments: tuple[str, ...], places: list[int], **named: Any
    ) -> None:
        self._target, self._arguments, self._named = target, arguments, named
        self.places, self.log = places, Path(arguments[-1])
        self.killed: list[int] = []
        """Events that it had noted at each kill."""
        self.done = False
        self.begin()

    def begin(self) -> None:
        """Begin a life."""
        place = self.places[0] if self.places else -1
        self.pipe, theirs = Context.Pipe(duplex=False)
        self.process = Context.Process(
            target=self._target, args=(*self._arguments, place, theirs), kwargs=self._named, daemon=True
        )
        self.process.start()
        theirs.close()

    @property
    def waits_for(self) -> list[Any]:
        """What tells that there is something to do."""
        return [] if self.done else [self.process.sentinel, self.pipe]

    def tend(self, chance: random.Random) -> bool:
        """Do what is to be done; whether the process was killed."""
        if self.done:
            return False
        if self.process.exitcode is not None:
            self.done = self.process.exitcode == DONE
            self._end()
            return False
        at_start = self.places[:1] == [0]
        if not at_start and not self.pipe.poll():
            return False
        if at_start or self._says_it_is_there():
            time.sleep(chance.uniform(0.0, 0.05 if at_start else 0.0015))
            self.process.kill()
            self.process.join()
            self.places.pop(0)
            self.killed.append(self._noted())
            self._end()
            return True
        return False

    def _says_it_is_there(self) -> bool:
        with suppress(EOFError):  # it ends by itself
            return bool(self.pipe.recv_bytes() == lives.THERE)
        self.process.join()
        return False

    def _end(self) -> None:
        self.pipe.close()
        if not self.done:
            self.begin()

    def _noted(self) -> int:
        if self._target is lives.read:
            return len(whole_lines(self.log))
        *_, last = lives_of(whole_lines(self.log))
        return len(last)
