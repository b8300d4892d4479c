import argparse
from collections.abc import Mapping
from pathlib import Path

import pytest

from resilient_stream import PolicyError, RetryPolicy
from resilient_stream._gateway.options import Options, ServeError, declare


def parsed(*arguments: str, environ: Mapping[str, str] | None = None) -> Options:
    """Options from arguments and an environment."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    declare(parser, environ or {})
    return Options.of(parser.parse_args(arguments))


def test_nothing_need_be_said() -> None:
    """The defaults are those of the class."""
    assert parsed() == Options()


def test_the_environment_says_the_same() -> None:
    """Each option by its name; arguments outrank it."""
    environ = {
        "RESILIENT_STREAM_HOST": "0.0.0.0",  # noqa: S104 -- nothing listens here
        "RESILIENT_STREAM_PORT": "80",
        "RESILIENT_STREAM_UPSTREAM": "http://api.test",
        "RESILIENT_STREAM_POLICY": "batch",
        "RESILIENT_STREAM_ALLOW_HOST": "a.test, b.test,",
        "RESILIENT_STREAM_WORKERS": "4",
        "RESILIENT_STREAM_DRAIN_TIMEOUT": "9",
        "RESILIENT_STREAM_LOG_FORMAT": "json",
    }
    said = parsed("--port", "81", "--allow-host", "c.test", environ=environ)
    assert said == Options(
        "0.0.0.0",  # noqa: S104 -- as above
        81,
        "http://api.test",
        "batch",
        ("a.test", "b.test", "c.test"),
        4,
        9,
        "json",
    )


def test_arguments_say_what_was_said() -> None:
    """To a worker, of which there is one."""
    for options in (Options(), Options("::1", 1, "http://x", "batch", ("a", "b"), 3, 9, "json")):
        again = parsed(*options.arguments(), "--fd=7")
        assert again == parsed(*options.arguments(), f"--fd={7}", f"--workers={1}")
        assert (again.host, again.policy, again.allow_host) == (
            options.host,
            options.policy,
            options.allow_host,
        )
        assert (again.workers, again.fd) == (1, 7)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port=-1"],
        ["--port=65536"],
        ["--port=x"],
        ["--workers=0"],
        ["--drain-timeout=-1"],
        ["--log-format=xml"],
    ],
)
def test_what_can_not_be_is_refused(arguments: list[str]) -> None:
    """With what could be."""
    with pytest.raises(argparse.ArgumentError, match="should be"):
        parsed(*arguments)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gateway.test"])  # noqa: S104 -- as above
def test_other_machines_need_a_name(host: str) -> None:
    """An address that they reach is refused without one: requests for any other name are."""
    with pytest.raises(ServeError, match="--allow-host"):
        parsed("--host", host)
    options = parsed("--host", host, "--allow-host", "a.test")
    assert "a.test" in options.hosts


@pytest.mark.parametrize(
    ("host", "url", "name"),
    [
        ("127.0.0.1", "http://127.0.0.1:80", "127.0.0.1"),
        ("127.9.9.9", "http://127.9.9.9:80", "127.9.9.9"),
        ("::1", "http://[::1]:80", "[::1]"),
        ("localhost", "http://localhost:80", "localhost"),
    ],
)
def test_its_own_address_is_a_name_of_its(host: str, url: str, name: str) -> None:
    """Written as in a URL."""
    options = parsed("--host", host)
    assert options.url(80) == url
    assert name in options.hosts


def test_a_policy_is_a_preset_or_a_file(tmp_path: Path) -> None:
    """Or none."""
    file = tmp_path / "mine.toml"
    file.write_text("max_attempts = 3\n", "utf-8")
    assert Options().chosen_policy() is None
    assert Options(policy="batch").chosen_policy() == RetryPolicy.preset("batch")
    assert Options(policy=str(file)).chosen_policy() == RetryPolicy(max_attempts=3)
    for wrong in ("no_such", str(tmp_path / "none.toml")):
        with pytest.raises(PolicyError):
            Options(policy=wrong).chosen_policy()


def test_a_journal_is_open_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    """Its URL, which may have a password, is told to workers by their environment."""
    options = Options(journal=f"sqlite:///{tmp_path}/j.db")
    with options.opened_journal() as journal:
        assert journal is not None
        assert journal.streams() == []
    assert options.environment() == {"RESILIENT_STREAM_JOURNAL": options.journal}
    assert not any("j.db" in argument for argument in options.arguments())


@pytest.mark.parametrize(
    ("journal", "shares"), [(None, False), ("sqlite:///x.db", False), ("redis://127.0.0.1:1/0", True)]
)
def test_the_budget_is_shared_where_the_journal_is(journal: str | None, *, shares: bool) -> None:
    """By all workers and machines, if it is in Redis."""
    with Options(journal=journal).opened_budget() as budget:
        assert (budget is not None) is shares


def test_without_a_journal_none_is_opened() -> None:
    """Nor told."""
    with Options().opened_journal() as journal:
        assert journal is None
    assert Options().environment() == {}


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:////none/such/folder/j.db"])
def test_a_journal_that_can_not_be_is_a_sentence(url: str) -> None:
    """It names the option."""
    with pytest.raises(ServeError, match="--journal: "), Options(journal=url).opened_journal():
        pass
