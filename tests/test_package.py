"""What is built: the wheel, the sdist, and the presets inside both."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest

from resilient_stream import RetryPolicy

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PRESETS = sorted(path.stem for path in (ROOT / "policies").glob("*.toml"))
DIST_INFO = f"resilient_stream-{PROJECT['version']}.dist-info"


def build(source: Path, kind: str, folder: Path) -> Path:
    """Build one distribution without the network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (found,) = folder.iterdir()
    return found


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def name(requirement: str) -> str:
    """The name that a requirement begins with."""
    return re.split("[^a-z0-9-]", requirement)[0]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The wheel built from the checkout."""
    return contents(build(ROOT, "wheel", tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def metadata(wheel: dict[str, bytes]) -> Message:
    """The metadata of the wheel."""
    return BytesParser().parsebytes(wheel[f"{DIST_INFO}/METADATA"])


def test_wheel_puts_nothing_generic_at_the_top(wheel: dict[str, bytes]) -> None:
    """The top level of the wheel is exactly the package and its dist-info."""
    assert {each.split("/")[0] for each in wheel} == {"resilient_stream", DIST_INFO}


def test_wheel_holds_the_whole_package(wheel: dict[str, bytes]) -> None:
    """Each file of the package is in the wheel, each preset is inside the package, and nothing else is."""
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "resilient_stream").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    presets = {f"resilient_stream/policies/{preset}.toml" for preset in PRESETS}
    assert {each for each in wheel if not each.startswith(DIST_INFO)} == package | presets


def test_wheel_is_typed_licensed_and_has_a_command(wheel: dict[str, bytes], metadata: Message) -> None:
    """The type marker, the licence and the command line's entry point are in the wheel."""
    assert "resilient_stream/py.typed" in wheel
    assert metadata["License-Expression"] == "Apache-2.0"
    assert wheel[f"{DIST_INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    command = b"resilient-stream = resilient_stream.__main__:main"
    assert command in wheel[f"{DIST_INFO}/entry_points.txt"]


def test_metadata_says_what_pyproject_says(metadata: Message) -> None:
    """Name, version, Python and dependencies reach the metadata, and httpx is not among them."""
    assert (metadata["Name"], metadata["Version"]) == (PROJECT["name"], PROJECT["version"])
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(required) == len(PROJECT["dependencies"])
    assert "httpx" not in map(name, required)


def test_what_is_imported_is_required() -> None:
    """The package imports nothing that only comes along with a dependency of its own."""
    extras = PROJECT["optional-dependencies"].values()
    required = {
        name(line) for line in [*PROJECT["dependencies"], *(line for lines in extras for line in lines)]
    }
    imported = set()
    for path in (ROOT / "resilient_stream").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module)
    foreign = (
        {module.partition(".")[0] for module in imported} - sys.stdlib_module_names - {"resilient_stream"}
    )
    modules = {"opentelemetry" if "opentelemetry" in each else each.replace("-", "_") for each in required}
    assert foreign <= modules | {"starlette"}  # whoever asks for its response has it


def test_sdist_builds_the_same_wheel(
    wheel: dict[str, bytes], sdist: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A wheel built from the sdist equals the one built from the checkout, byte for byte."""
    assert contents(build(sdist, "wheel", tmp_path_factory.mktemp("again"))) == wheel


@pytest.mark.parametrize("item", ["LICENSE", "README.md", "CHANGELOG.md", "noxfile.py", "policies", "tests"])
def test_sdist_is_enough_to_test(sdist: Path, item: str) -> None:
    """Whoever repackages the sdist finds the tests and what they need."""
    assert (sdist / item).exists()


def test_policies_are_data() -> None:
    """No Python in `policies/`: hatchling would refuse an editable install."""
    assert not list((ROOT / "policies").rglob("*.py"))


def test_the_promised_presets_exist() -> None:
    """The presets are the five that the documentation names."""
    assert PRESETS == ["agent", "batch", "interactive", "observe", "off"]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_load(preset: str) -> None:
    """Each file of `policies/` loads by its name from wherever the package is imported."""
    assert isinstance(RetryPolicy.preset(preset), RetryPolicy)
