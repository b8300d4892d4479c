"""Policies as text: the presets in ``policies/``, and the user's files.

The presets are files at the top of the repository. A wheel has them inside the package; an editable install
and a checkout do not, so there are two places to look.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from resilient_stream.errors import PolicyError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

NULLABLE: Final = frozenset(
    {"deadline", "continuation_template", "max_input_multiple", "budget", "stop", "wait", "retry"}
)
"""The fields in which the word "none" stands for None, for which TOML has no value."""


LONGEST_CHAIN: Final = 10
"""The most policies that may extend one another. Two or three are usual."""

LARGEST_FILE: Final = 1024 * 1024
"""The most bytes of a policy's file. Its fields fit in a few hundred."""


class Document(NamedTuple):
    """One policy as text, with its name for messages and the folder of the files that it may extend."""

    label: str
    text: str
    folder: Path = Path()


def shelf() -> Traversable:
    """The folder of the presets: in an installed package (zipped or not), or beside a checkout."""
    from importlib.resources import files  # most programs name no preset, and read no file

    package = files("resilient_stream")
    installed = package / "policies"
    return installed if installed.is_dir() else Path(str(package)).parent / "policies"


def preset_names() -> list[str]:
    """The names of the presets, sorted."""
    return sorted(
        each.name.removesuffix(".toml") for each in shelf().iterdir() if each.name.endswith(".toml")
    )


def preset_fields(name: str) -> dict[str, Any]:
    """The fields that a preset sets, its parents' included."""
    return _resolved(_preset(name))


def document(source: str | os.PathLike[str]) -> Document:
    """The document that ``source`` names or contains: a ``str`` with a line break or an equals sign is text,
    unless it is one line that ends in ``.toml``; anything else is a path."""
    if isinstance(source, str) and (
        "\n" in source or not source or ("=" in source and not source.endswith(".toml"))
    ):
        return Document("policy text", source)
    return _file(Path(source))


def fields_of(source: Document) -> dict[str, Any]:
    """The fields that a document sets, its parents' included, as ``RetryPolicy`` takes them."""
    return _resolved(source)


def toml(fields: Mapping[str, Any]) -> str:
    """The fields as flat TOML, one a line.

    Raises:
        PolicyError: a field holds an object, which has no spelling.
    """
    return "".join(f"{name} = {_spelt(name, value, top=True)}\n" for name, value in fields.items())


def _preset(name: str) -> Document:
    names = preset_names()
    if name not in names:
        raise PolicyError(f"unknown preset {name!r}; there are: {', '.join(names)}")
    return Document(name, (shelf() / f"{name}.toml").read_text(encoding="utf-8"))


def _file(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE} bytes")  # noqa: TRY301 -- one sentence for all
        # -sig: Windows editors put a byte order mark first.
        return Document(str(path), content.decode("utf-8-sig"), path.parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PolicyError(f"cannot read a policy from {str(path)!r}: {reason}") from error


def _resolved(source: Document, above: tuple[str, ...] = ()) -> dict[str, Any]:
    chain = (*above, source.label)
    if source.label in above:
        raise PolicyError(f"extends runs in a circle: {' -> '.join(chain)}")
    if len(chain) > LONGEST_CHAIN:
        raise PolicyError(f"extends leads through more than {LONGEST_CHAIN} policies: {' -> '.join(chain)}")
    table = _table(source)
    parent = table.pop("extends", None)
    inherited = {} if parent is None else _resolved(_parent(source, parent), chain)
    return inherited | {name: _value(name, value) for name, value in table.items()}


def _table(source: Document) -> dict[str, Any]:
    import tomllib  # as in `shelf`

    try:
        return tomllib.loads(source.text)
    except ValueError as error:  # TOMLDecodeError, and what `int` raises for too many digits
        raise PolicyError(f"{source.label} is not TOML: {error}") from error
    except RecursionError:
        raise PolicyError(f"{source.label} is not TOML that can be read: nested too deeply") from None


def _parent(source: Document, name: object) -> Document:
    if not isinstance(name, str):
        raise PolicyError(
            f"{source.label}: extends = {reprlib.repr(name)}: should be a preset's name or a .toml file's"
        )
    if not name.endswith(".toml"):
        return _preset(name)
    # Normalised, so that a circle through "../" is recognised.
    return _file(Path(os.path.normpath(source.folder / name)))


def _value(name: str, value: Any) -> Any:
    return None if value == "none" and name in NULLABLE else value


def _spelt(name: str, value: Any, *, top: bool = False) -> str:
    """One value in TOML. Within a mapping None can't be written: "none" would stay a word there."""
    match value:
        case None if top:
            return '"none"'
        case bool() | int() | float():
            return repr(value).lower()
        case str():
            # JSON's escapes are TOML's, except for one character that TOML wants escaped too.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            pairs = (
                f"{_spelt(name, key)} = {_spelt(name, each)}"
                for key, each in cast("Mapping[str, Any]", value).items()
            )
            return f"{{ {', '.join(pairs)} }}"
        case frozenset():
            return _spelt(name, sorted(cast("frozenset[str]", value)))
        case list() | tuple():
            return f"[{', '.join(_spelt(name, item) for item in cast('list[Any]', value))}]"
        case _:
            raise PolicyError(f"{name} holds {value!r}, which can't be written in TOML: set it in code")
