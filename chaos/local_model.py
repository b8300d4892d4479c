"""A language model on this machine, as an author for the stand-in.

The weights are a GGUF file of the user's; nothing is downloaded. The runtime is xllamacpp, which only the
session that uses it installs.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

CONTEXT: Final = 4096
"""Tokens of the model's window: a prompt, a reply, and the reply once more."""


class LocalModel:
    """Answers requests of the Messages API with a local model, without randomness.

    Args:
        weights: the GGUF file.
        threads: how many threads compute; half of the processors by default.

    Raises:
        ModuleNotFoundError: xllamacpp is not installed.
        RuntimeError: the file is no model that the runtime can load.
    """

    def __init__(self, weights: Path, threads: int | None = None) -> None:
        runtime = importlib.import_module("xllamacpp")
        settings = runtime.CommonParams()
        settings.model.path = str(weights)
        settings.n_ctx = CONTEXT
        settings.cpuparams.n_threads = threads or max(1, (os.cpu_count() or 2) // 2)
        self._server = runtime.Server(settings)
        self._lock = threading.Lock()

    def __call__(self, request: Mapping[str, Any]) -> str:
        """The whole reply to a request."""
        messages = [
            {"role": message["role"], "content": _text(message["content"])} for message in request["messages"]
        ]
        asked = {
            "messages": messages,
            "max_tokens": request["max_tokens"],
            "temperature": 0,
            "cache_prompt": True,
        }
        with self._lock:
            answer = self._server.handle_chat_completions(asked)
        return str(answer["choices"][0]["message"]["content"])


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in content)
