"""What is checked, and how.

`nox` checks everything on the Python that runs it. `nox -s laws` runs the tests of very many inputs.
`nox -s matrix` tests on the other Pythons that are found, on the oldest dependencies, and in other ways to
install. `nox -s NAME` runs one part; `nox --list` has them.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)  # from the classifiers
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = [python for python in PYTHONS if python != HERE]
ALIKE = (
    "laws",
    "seams",
    "contract",
    "gateway",
    "testing",
    "demo",
    "check",
    "test_main.py",
    "test_docs_examples.py",
)
"""Tests that no other Python is known to break as long as those of the single modules pass."""
MANY_INPUTS = ("laws", *(f"seams/test_{name}.py" for name in ("again", "corpus", "replies")))
"""Tests of very many inputs, which have a session of their own. Those of the single modules state the same
laws for a few."""
UNMEASURED = (
    *(
        f"contract/test_{name}.py"
        for name in (
            "answers",
            "attempts",
            "blocks",
            "catalogue",
            "doors",
            "edges",
            "encodings",
            "http2",
            "leaving",
            "off",
            "refusal_fallback",
            "repeated",
            "responses",
            "seams",
            "secrets",
            "surfaces",
            "vendors",
            "watchers",
        )
    ),
    "demo/test_bare.py",
    "report/test_model.py",
    *(f"test_docs_{name}.py" for name in ("breaker", "examples", "testing", "worst_case")),
    *(f"testing/catalogue/test_{name}.py" for name in ("connection", "status", "stream")),
    "test_errors.py",
    "test_package.py",
)
"""Tests of many inputs, and of what others have reached. The others reach every line and branch without
them, and measuring makes them take up to three times as long."""
RUNS = itertools.count()
PROCESSES = 4
"""How many run tests at the same time: more than two cores, because many tests wait for a socket."""

WHERE = """
import sys
from pathlib import Path
from resilient_stream import RetryPolicy, __file__ as here
assert Path(here).is_relative_to(sys.argv[1]), here
print(here, RetryPolicy.preset("interactive"))
"""


def group(name: str) -> list[str]:
    """The requirements of one dependency group."""
    return list(nox.project.dependency_groups(PROJECT, name))


def dependencies() -> list[str]:
    """What the package needs, all extras included."""
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    return [*PROJECT["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]


def install_wheel(session: nox.Session) -> None:
    """Install the wheel that the `dist` session has built, over one of the same version too."""
    (wheel,) = (session.cache_dir / "dist").glob("*.whl")
    session.install("--no-deps", "--force-reinstall", str(wheel))


def files_of_tests(without: Iterable[str] = ()) -> list[str]:
    """All of them, without some folders and files of ``tests``."""
    home = ROOT / "tests"
    out = {home / name for name in without}
    return [
        str(file.relative_to(ROOT))
        for file in sorted(home.rglob("test_*.py"))
        if out.isdisjoint({file, *file.parents})
    ]


def pytest(
    session: nox.Session, *args: str, path: str = "", measured: bool = False, silent: bool = False
) -> str:
    """Run tests on what is installed, or on what ``path`` names; measured runs leave data for `coverage`.

    PYTHONSAFEPATH keeps the checkout from standing in for what is installed. Bytecode is kept whatever
    the environment says: to make that of the tests takes each process ten seconds. A silent run shows what
    it has said only if it fails.
    """
    data = session.cache_dir / "coverage" / f"data.{next(RUNS)}"
    laws = os.environ.get("LAWS") or "small"
    env = {"COVERAGE_FILE": str(data), "PYTHONSAFEPATH": "1", "PYTHONPATH": path, "LAWS": laws}
    env["PYTHONDONTWRITEBYTECODE"] = ""
    counted = ["--cov", "--cov-report=", "--cov-fail-under=0"] if measured else []  # the sum is judged
    said = session.run("python", "-m", "pytest", *counted, *args, env=env, silent=silent)
    return str(said).strip().rpartition("\n")[2]


def pytest_in_parts(session: nox.Session, plain: list[str], measured: Iterable[str] = ()) -> None:
    """Run these files in processes of their own, `PROCESSES` at a time.

    Each gets every so manieth file. xdist's workers would each import and collect all of them, and send three
    reports of each test to another process: that takes a fifth of the time.
    """
    home = session.cache_dir / "parts"
    home.mkdir(exist_ok=True)
    with ThreadPoolExecutor(PROCESSES) as pool:
        runs = []
        for name, files in (("measured", list(measured)), ("plain", plain)):
            for part in range(PROCESSES if files else 0):
                share = home / f"{name}.{part}"
                share.write_text("\n".join(files[part::PROCESSES]))
                run = pool.submit(pytest, session, f"@{share}", measured=name == "measured", silent=True)
                runs.append(run)
    for run in runs:
        session.log(run.result())


def pytest_or_parts(session: nox.Session, files: list[str]) -> None:
    """Run what the user asks for behind `--`, or these files."""
    if session.posargs:
        pytest(session, *session.posargs)
    else:
        pytest_in_parts(session, files)


def coverage(session: nox.Session) -> None:
    """Every line and branch of the package, over all that was measured."""
    env = {"COVERAGE_FILE": str(session.cache_dir / "coverage" / "data")}
    session.run("coverage", "combine", "--quiet", env=env)
    session.run("coverage", "report", env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, import contracts, and a docstring on every test."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo", "--no-cache")
    session.run("interrogate", "tests")


@nox.session
def types(session: nox.Session) -> None:
    """Two type checkers."""
    session.install(*dependencies(), *group("types"))
    with ThreadPoolExecutor() as both:  # each takes half a minute of one core
        runs = [both.submit(session.run, checker) for checker in ("mypy", "pyright")]
    for run in runs:
        run.result()


@nox.session(default=False)
def dist(session: nox.Session) -> None:
    """Build the sdist, and from it the wheel that the sessions below test."""
    session.install(*group("build"))
    for name in ("dist", "coverage"):
        shutil.rmtree(session.cache_dir / name, ignore_errors=True)
    (session.cache_dir / "coverage").mkdir(parents=True)
    session.run("python", "-m", "build", "--outdir", str(session.cache_dir / "dist"), str(ROOT), silent=True)


@nox.session(requires=["dist"])
def tests(session: nox.Session) -> None:
    """The tests on the wheel with the newest dependencies, and the coverage of those that are measured.

    What follows `--` goes to pytest: with it, what runs is measured whatever it is.
    """
    session.install(*dependencies(), *group("test"), *group("examples"))
    install_wheel(session)
    if session.posargs:
        pytest(session, *session.posargs, measured=True)
    else:
        measured = files_of_tests(without=(*UNMEASURED, *MANY_INPUTS))
        plain = {*files_of_tests(without=MANY_INPUTS)}.difference(measured)
        pytest_in_parts(session, sorted(plain), measured)
    coverage(session)


@nox.session(requires=["dist"], default=False)
def laws(session: nox.Session) -> None:
    """The laws, and the corpus of seams, on very many inputs; ``LAWS=large nox -s laws`` tries everything.

    What follows `--` goes to pytest.
    """
    session.install(*dependencies(), *group("test"))
    install_wheel(session)
    pytest_or_parts(session, sorted({*files_of_tests()}.difference(files_of_tests(without=MANY_INPUTS))))


@nox.session(python=OTHERS, requires=["dist"], default=False)
def matrix(session: nox.Session) -> None:
    """The tests of single modules on each other Python that is found; then `floor` and `package`.

    ``LAWS=small nox -s matrix`` leaves nothing out. What follows `--` goes to pytest, here and in `floor`.
    """
    session.install(*dependencies(), *group("test"))
    install_wheel(session)
    pytest_or_parts(session, files_of_tests(without=[] if os.environ.get("LAWS") else ALIKE))
    session.notify("floor")
    session.notify("package", posargs=[])


@nox.session(python=PYTHONS[0], requires=["dist"], default=False)
def floor(session: nox.Session) -> None:
    """The tests on the wheel, with every dependency at its lower bound; the core has none.

    What follows `--` goes to pytest.
    """
    lowest = [re.sub(r">=([\d.]+).*", r"==\1", line) for line in dependencies()]
    pinned = {line.partition("=")[0] for line in lowest}
    session.install(*lowest, *(line for line in group("test") if line.partition("=")[0] not in pinned))
    install_wheel(session)
    pytest_or_parts(session, files_of_tests(without=("core", "laws", "seams", "demo", "check")))


@nox.session(requires=["dist"], default=False)
def package(session: nox.Session) -> None:
    """The wheel, an editable install and a bare checkout: each finds the presets."""
    files = ("tests/test_package.py", "tests/policy/test_presets.py")
    session.install(*dependencies(), *group("test"))

    install_wheel(session)
    session.run("python", "-P", "-c", WHERE, session.virtualenv.location)
    pytest(session, *files)

    session.install("--no-deps", "--editable", ".")
    session.run("python", "-P", "-c", WHERE, str(ROOT))
    pytest(session, "-k", "presets", *files)

    session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "resilient-stream")
    session.run("python", "-c", WHERE, str(ROOT))
    pytest(session, "-k", "presets", *files, path=str(ROOT))


@nox.session(requires=["dist"], default=False)
def chaos(session: nox.Session) -> None:
    """Many cuts and seeds, real sockets; `-- --seed=N` plays one again, `--step=1` cuts at every byte."""
    session.install(*dependencies(), *group("test"))
    install_wheel(session)
    session.run("pytest", "chaos", *session.posargs, env={"PYTHONSAFEPATH": "1"})


@nox.session(requires=["dist"], default=False)
def soak(session: nox.Session) -> None:
    """Seeds without end: ten minutes of them, or `-- --minutes=N`; `--first=N` begins elsewhere."""
    session.install(*dependencies(), *group("test"))
    install_wheel(session)
    session.run(
        "pytest", "chaos/test_soak.py", "-s", "--minutes=10", *session.posargs, env={"PYTHONSAFEPATH": "1"}
    )


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """A fuzzer over what strangers send: ten minutes, or `-- --minutes=N`; `--target=NAME` for one thing."""
    session.install(*dependencies(), *group("test"), *group("fuzz"))
    session.run(
        "python", "-m", "tests.laws.fuzz", "--minutes=10", *session.posargs, env={"PYTHONPATH": str(ROOT)}
    )


@nox.session(requires=["dist"], default=False)
def torture(session: nox.Session) -> None:
    """Kill a thousand processes that write and read a journal, on each store; `-- --seed=N` draws anew."""
    session.install(*dependencies(), *group("test"))
    install_wheel(session)
    for store in ("sqlite", "redis"):
        session.run(
            "python",
            "-m",
            "chaos.durable",
            f"--store={store}",
            "--kills=1000",
            "--stops=10",
            *session.posargs,
        )


@nox.session(requires=["dist"], default=False)
def vendors(session: nox.Session) -> None:
    """What needs the SDK's extras: the older Bedrock client, aiohttp, HTTP/2."""
    session.install(*dependencies(), *group("test"), *group("vendors"))
    install_wheel(session)
    files = ("tests/contract/test_vendors.py", "tests/contract/test_http2.py")
    pytest(session, "-n", "3", *files, *session.posargs)


SDK_TESTS = (
    "tests/lib/streaming",
    "tests/test_streaming.py",
    "tests/test_middleware.py",
    "tests/lib/test_refusal_fallback_streaming.py",
)


@nox.session(requires=["dist"], default=False)
def sdk_suite(session: nox.Session) -> None:
    """The SDK's own tests of streams: bare, then with the middleware in every client."""
    session.install(*dependencies(), *group("sdk_suite"))
    install_wheel(session)
    said = session.run("python", "-c", "import anthropic; print(anthropic.__version__)", silent=True)
    version = str(said).strip()
    home = Path(session.create_tmp()) / f"anthropic-{version}"
    shutil.rmtree(home, ignore_errors=True)
    source = ("--no-binary", "anthropic", f"anthropic=={version}", "--dest", str(home.parent))
    session.run("python", "-m", "pip", "download", "--quiet", "--no-deps", *source)
    shutil.unpack_archive(home.parent / f"{home.name}.tar.gz", home.parent, filter="data")
    shutil.rmtree(home / "src")  # the installed one is tested
    pytest = ("python", "-m", "pytest", "-n", "2", "-q", *SDK_TESTS)
    with session.chdir(home):
        session.run(*pytest)
        session.run(*pytest, "-p", "resume_everywhere", env={"PYTHONPATH": str(ROOT / "tests" / "sdk_suite")})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """What the library costs: docs/performance.md; `-- imports crowd` measures parts of it anew.

    `-- gateway` measures the gateway next to nginx and litellm's proxy, whose command is in the variable
    LITELLM: docs/gateway.md.
    """
    session.install(*dependencies(), *group("bench"))
    module = "gateway" if session.posargs == ["gateway"] else "page"
    session.run("python", "-m", f"benchmarks.{module}", *(session.posargs if module == "page" else ()))


@nox.session(default=False)
def outage(session: nox.Session) -> None:
    """A thousand streams in trouble: docs/outage.md; `-- --plot FILE --served FILE` draws
    it, `-- --sockets` plays 240 on real sockets."""
    session.install(*dependencies(), *group("outage"))
    args = [*session.posargs]
    if "--sockets" in args:
        args.remove("--sockets")
        session.run("python", "-m", "chaos.outage_sockets", *args)
        return
    session.run("python", "-m", "chaos.outage", *args)


@nox.session(default=False)
def seams(session: nox.Session) -> None:
    """Each text of the corpus, cut at every 13th character, continued in every manner: table and cost.

    Arguments go to the table: `-- --step=3 --show=5 no_echo` cuts more, shows what is not right, tries one.
    """
    session.install(*dependencies())
    session.run("python", "-m", "tests.seams.table", *session.posargs)
    session.run("python", "-m", "tests.seams.cost")


@nox.session(default=False, venv_backend="none")
def frameworks(session: nox.Session) -> None:
    """Frameworks against the faults, bare and protected, each in its own environment: docs/frameworks.md.

    Arguments choose some of them: `-- litellm crewai` prints their table; `-- --home=DIR` says where the
    environments are kept.
    """
    session.run("python", "-m", "chaos.frameworks.table", *session.posargs, external=True)


@nox.session(default=False)
def strangers(session: nox.Session) -> None:
    """Programs in other languages against the faults, bare and through the gateway: docs/strangers.md.

    It needs Node.js, Chromium, nginx, Go and a JDK, and leaves out what needs a missing one. Arguments choose
    programs by a part of their names, `-- curl chromium`, and print their table.
    """
    session.install(*dependencies())
    session.install("--no-deps", "--editable", ".")
    session.run("python", "-m", "chaos.strangers.table", *session.posargs)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """The page of docs/examples/durable_chat in a Chromium, reloaded and cut off, its program killed."""
    session.install(*dependencies(), *group("examples"), *group("browser"))
    session.install("--no-deps", "--editable", ".")
    session.run("python", "-m", "chaos.browser", *session.posargs)


@nox.session(default=False)
def models(session: nox.Session) -> None:
    """How a model of yours goes on with cut replies: `-- --weights FILE.gguf`."""
    session.install(*dependencies(), *group("models"))
    session.run("python", "-m", "chaos.models", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """The site in docs/_build/html: built with warnings as errors, its doctests run, its links checked."""
    session.install(*dependencies(), *group("docs"))
    session.install("--no-deps", "--editable", ".")
    out = ROOT / "docs" / "_build"
    shutil.rmtree(out, ignore_errors=True)
    for builder in ("html", "doctest"):
        session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", builder, "docs", str(out / builder))
    session.run("python", "docs/check_site.py", str(out / "html"))


@nox.session(default=False)
def pictures(session: nox.Session) -> None:
    """Draw the README's pictures of the demo from a run of it."""
    session.install(*dependencies())
    session.install("--no-deps", "--editable", ".")
    session.run("python", "docs/pictures.py")


@nox.session(requires=["dist"], default=False)
def release(session: nox.Session) -> None:
    """Build, check the files, install the wheel in a clean environment. `-- --publish` uploads them."""
    session.install(*group("release"))
    files = sorted(map(str, (session.cache_dir / "dist").iterdir()))
    (wheel,) = (file for file in files if file.endswith(".whl"))
    session.run("twine", "check", "--strict", *files)
    session.run("check-wheel-contents", wheel)
    clean = Path(session.create_tmp()).resolve() / "clean"
    session.run("python", "-m", "venv", "--clear", str(clean))
    python = str(clean / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run(python, "-m", "pip", "install", "--quiet", f"{wheel}[cli]", external=True)
    session.run(python, "-P", "-c", WHERE, str(clean), external=True)
    session.run(python, "-P", "-m", "resilient_stream", "demo", "--fast", "--fault", "s529", external=True)
    if "--publish" in session.posargs:
        session.run("twine", "upload", *files)
