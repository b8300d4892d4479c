"""The old address of `tests.support`."""
# ruff: noqa: F403

from __future__ import annotations

from tests.support.broken import *
from tests.support.consumer import *
from tests.support.contents import *
from tests.support.machines import *
from tests.support.script import *
from tests.support.sdk import *
from tests.support.streams import *
