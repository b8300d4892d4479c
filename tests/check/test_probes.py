from __future__ import annotations

from resilient_stream._check.probes import MAX_TOKENS, PROBES, expected_requests, expected_tokens


def test_there_are_a_dozen_of_different_kinds() -> None:
    """Twelve prompts, no two of a name, one with a tool, and each can be sent as it is."""
    names = [probe.name for probe in PROBES]
    assert len(names) == len(set(names)) == 12
    assert sum("tools" in probe.request("m") for probe in PROBES) == 1
    assert all(probe.request("m")["messages"][0]["content"] == probe.prompt for probe in PROBES)


def test_the_estimate_grows_with_the_probes() -> None:
    """Two requests a probe and one more; the output is at most what the requests allow."""
    assert expected_requests(PROBES) == 25
    assert expected_requests(PROBES[:1]) == 3
    assert expected_tokens(PROBES)[1] == 12 * MAX_TOKENS
    assert expected_tokens(PROBES[:2])[0] < expected_tokens(PROBES)[0]
