"""Policies as text: presets, files, the switch in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from resilient_stream._core.failures import Kind
from resilient_stream._policy import presets as _presets
from resilient_stream._policy.presets import (
    LARGEST_FILE,
    LONGEST_CHAIN,
    document,
    preset_names,
    shelf,
)
from resilient_stream.errors import PolicyError
from resilient_stream.policy import RetryPolicy

ROOT = Path(__file__).parents[2]
NAMES = ["agent", "batch", "interactive", "observe", "off"]


def written(folder: Path, **texts: str) -> Path:
    """Files in a folder; the first one's path."""
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(texts))}.toml"


def test_the_presets_are_those_promised() -> None:
    """There are five presets."""
    assert preset_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_a_valid_policy_that_says_why(name: str) -> None:
    """Each preset loads, differs from the defaults, says for whom it is and explains each number."""
    assert RetryPolicy.preset(name) != RetryPolicy()
    text = (shelf() / f"{name}.toml").read_text("utf-8")
    assert text.startswith("# For ") or name == "off"
    paragraphs = text.strip().split("\n\n")
    assert all(paragraph.startswith("#") for paragraph in paragraphs)


@pytest.mark.parametrize("name", NAMES)
def test_presets_set_only_what_differs(name: str) -> None:
    """A preset repeats no default, unless it says so on purpose: two of them guard what must not change."""
    default, said = RetryPolicy(), _presets.preset_fields(name)
    purpose = {"completed_tools", "rerun_server_tools"}
    mine = RetryPolicy.preset(name)
    assert {field for field in said if getattr(mine, field) == getattr(default, field)} <= purpose


def test_what_the_presets_are_for() -> None:
    """The presets differ in the way that their names promise."""
    default = RetryPolicy()
    interactive, batch, agent, observe, off = map(
        RetryPolicy.preset, ["interactive", "batch", "agent", "observe", "off"]
    )
    assert interactive.max_barren_attempts == default.max_barren_attempts < batch.max_barren_attempts
    assert interactive.wait_max < default.wait_max < batch.wait_max
    assert interactive.overload_wait_max < default.overload_wait_max < batch.overload_wait_max
    assert interactive.silence_timeout < default.silence_timeout < batch.silence_timeout
    assert interactive.retry_after_max < default.retry_after_max < batch.retry_after_max
    assert agent.hold == batch.hold == {"tool_use", "thinking"}
    assert (observe.enabled, observe.max_attempts, observe.continuation) == (True, 1, "never")
    assert not off.enabled


@pytest.mark.parametrize("name", NAMES)
def test_the_overview_names_every_preset(name: str) -> None:
    """The table in policies/README.md has a row for each preset."""
    assert f"| `{name}` |" in (ROOT / "policies" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["interctive", "", "../policies/off", "off.toml"])
def test_a_wrong_preset_lists_those_there_are(name: str) -> None:
    """A name that is no preset's is refused with the list, paths included."""
    with pytest.raises(PolicyError) as caught:
        RetryPolicy.preset(name)
    assert str(caught.value) == f"unknown preset {name!r}; there are: {', '.join(NAMES)}"


@pytest.mark.parametrize("inside", [True, False], ids=["installed", "checkout"])
def test_presets_lie_inside_the_package_or_beside_it(
    inside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package carries its presets; where it does not, they lie next to it."""
    package = tmp_path / "resilient_stream"
    folder = package / "policies" if inside else tmp_path / "policies"
    folder.mkdir(parents=True)
    package.mkdir(exist_ok=True)
    written(folder, mine="max_attempts = 3")
    monkeypatch.setattr("importlib.resources.files", lambda _: package)
    assert preset_names() == ["mine"]
    assert RetryPolicy.preset("mine").max_attempts == 3


def test_presets_are_read_from_a_zip(tmp_path: Path) -> None:
    """A package imported from a zip finds the presets in it."""
    archive = tmp_path / "lib.zip"
    package = ROOT / "resilient_stream"
    parts = ("_policy", "_telemetry", "_core")
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("resilient_stream/__init__.py", "")
        for path in [
            *package.glob("[a-z]*.py"),
            *(path for part in parts for path in (package / part).rglob("*.py")),
        ]:
            zipped.write(path, Path("resilient_stream") / path.relative_to(package))
        zipped.writestr("resilient_stream/policies/mine.toml", "max_attempts = 3")
    program = (
        "from resilient_stream.policy import RetryPolicy; import resilient_stream, sys;"
        "print(resilient_stream.__file__, RetryPolicy.preset('mine'));"
        "assert not {'anthropic', 'httpx', 'httpx2'} & set(sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(archive), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    assert "lib.zip" in done.stdout
    assert "RetryPolicy(max_attempts=3)" in done.stdout


# Text and files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["max_attempts = 3", "\n# nothing else\n", "", 'a = "x.toml"\n'])
def test_text_is_taken_as_text(source: str) -> None:
    """A string with a line break or an equals sign is a policy, not a path; an empty one is the defaults."""
    assert document(source).text == source


def test_a_path_is_taken_as_a_path(tmp_path: Path) -> None:
    """A path may be a Path or a string, and hold an equals sign; a byte order mark is skipped."""
    path = tmp_path / "a=b.toml"
    path.write_text("max_attempts = 3", encoding="utf-8-sig")
    assert RetryPolicy.from_toml(path) == RetryPolicy.from_toml(str(path)) == RetryPolicy(max_attempts=3)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are refused by name, with the reason."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.toml", tmp_path, binary):
        with pytest.raises(PolicyError, match="cannot read a policy from ") as caught:
            RetryPolicy.from_toml(path)
        assert repr(str(path)) in str(caught.value)
        assert caught.value.__cause__ is not None
    with pytest.raises(PolicyError, match="No such file"):
        RetryPolicy.from_toml("missing")


def test_text_that_is_not_toml_is_told(tmp_path: Path) -> None:
    """The error says which file, and where in it."""
    with pytest.raises(PolicyError, match=r"broken\.toml is not TOML: .*line 2"):
        RetryPolicy.from_toml(written(tmp_path, broken="max_attempts = 3\nmax_attempts: 4"))
    with pytest.raises(PolicyError, match="policy text is not TOML"):
        RetryPolicy.from_toml("max_attempts = ")


@pytest.mark.parametrize("field", sorted(_presets.NULLABLE))
def test_none_has_a_spelling(field: str) -> None:
    """The word "none" is None in the fields that take it."""
    assert getattr(RetryPolicy.from_toml(f'{field} = "none"'), field) is None


def test_none_is_not_for_every_field() -> None:
    """In a field that cannot be None the word is refused as it was written."""
    with pytest.raises(PolicyError, match="max_attempts = 'none': should be a valid integer"):
        RetryPolicy.from_toml('max_attempts = "none"')


def test_lists_and_tables_are_read() -> None:
    """Kinds are a list of strings, fallbacks may be inline tables."""
    policy = RetryPolicy.from_toml(
        'retry_on = ["reset"]\nfallback_models = ["claude-a", { model = "claude-b", max_tokens = 9 }]\n'
    )
    assert policy.retry_on == {Kind.RESET}
    assert policy.fallback_models == ("claude-a", {"model": "claude-b", "max_tokens": 9})


# extends -----------------------------------------------------------------------------------------


def test_a_policy_extends_a_preset() -> None:
    """What is not set comes from the preset, what is set wins, "none" included."""
    policy = RetryPolicy.from_toml('extends = "interactive"\nmax_attempts = 3\ndeadline = "none"\n')
    assert policy == RetryPolicy.preset("interactive").replace(max_attempts=3, deadline=None)


def test_a_file_extends_its_neighbour(tmp_path: Path) -> None:
    """A file's parent may be another file, found from where the file lies, and so on upwards."""
    below = tmp_path / "below"
    below.mkdir()
    written(tmp_path, base='extends = "batch"\nwait_max = 50')
    child = written(below, child='extends = "../base.toml"\nmax_attempts = 3')
    assert RetryPolicy.from_toml(child) == RetryPolicy.preset("batch").replace(wait_max=50, max_attempts=3)


def test_a_preset_extends_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presets may build on one another."""
    folder = tmp_path / "policies"
    folder.mkdir()
    written(folder, one="max_attempts = 3\ndeadline = 9", two='extends = "one"\nmax_attempts = 4')
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert RetryPolicy.preset("two") == RetryPolicy(max_attempts=4, deadline=9)


@pytest.mark.parametrize(
    "texts",
    [
        {"a": 'extends = "a.toml"'},
        {"a": 'extends = "b.toml"', "b": 'extends = "c.toml"', "c": 'extends = "../here/b.toml"'},
    ],
    ids=["itself", "others"],
)
def test_a_circle_is_told(texts: dict[str, str], tmp_path: Path) -> None:
    """Files that extend one another are refused with the way round, however the path is written."""
    here = tmp_path / "here"
    here.mkdir()
    with pytest.raises(PolicyError, match=r"extends runs in a circle: .* -> ") as caught:
        RetryPolicy.from_toml(written(here, **texts))
    assert str(caught.value).count("->") == len(texts)


@pytest.mark.parametrize("wrong", ["3", '["batch"]'])
def test_a_wrong_parent_is_told(wrong: str) -> None:
    """A policy extends one other, by name."""
    with pytest.raises(PolicyError, match=r"policy text: extends = .*: should be a preset's name"):
        RetryPolicy.from_toml(f"extends = {wrong}")


def test_an_unknown_parent_is_told() -> None:
    """A parent that does not exist is refused like any unknown preset or file."""
    with pytest.raises(PolicyError, match="unknown preset 'intractive'"):
        RetryPolicy.from_toml('extends = "intractive"')
    with pytest.raises(PolicyError, match="cannot read a policy"):
        RetryPolicy.from_toml('extends = "nowhere.toml"\n')


def test_what_has_no_spelling_is_refused() -> None:
    """A value that TOML does not know is refused with the field's name, deep inside a mapping too."""
    for value in (object(), [None], {"a": None}, {"a": [b""]}):
        fields: dict[str, Any] = {"fallback_models": value}
        with pytest.raises(PolicyError, match=r"^fallback_models holds "):
            _presets.toml(fields)


@pytest.mark.parametrize(
    "text",
    [
        "max_attempts = 1" + "0" * 5000,
        "fallback_models = " + "[" * 3000 + "]" * 3000,
        "fallback_models = [{model = 'x', a = " + "{b = " * 3000 + "1" + "}" * 3003 + "]",
        "deadline = nan",
        "extends = [[1]]",
        "# " + "x" * LARGEST_FILE,
    ],
    ids=["digits", "lists", "tables", "nan", "extends", "size"],
)
def test_a_file_that_cannot_be_read_is_a_policy_error(text: str, tmp_path: Path) -> None:
    """Whatever a file holds, what is raised is a PolicyError of a readable length."""
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        RetryPolicy.from_toml(path)
    assert len(str(caught.value)) < 1000


def test_a_chain_of_files_has_an_end(tmp_path: Path) -> None:
    """Ten policies may extend one another, and no more: a chain of thousands is somebody's mistake."""
    (tmp_path / "0.toml").write_text("deadline = 5", encoding="utf-8")
    for number in range(1, 2000):
        (tmp_path / f"{number}.toml").write_text(f"extends = '{number - 1}.toml'", encoding="utf-8")
    assert RetryPolicy.from_toml(tmp_path / f"{LONGEST_CHAIN - 1}.toml").deadline == 5
    for too_long in (LONGEST_CHAIN, 1999):
        with pytest.raises(PolicyError, match=f"more than {LONGEST_CHAIN} policies"):
            RetryPolicy.from_toml(tmp_path / f"{too_long}.toml")
