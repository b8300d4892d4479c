from resilient_stream._gateway.headers import passing, to_upstream, value_of, without


def test_headers_pass_in_their_order() -> None:
    """Known or not, once or twice, byte for byte."""
    headers = [(b"x-a", b"1"), (b"anthropic-new", b"\xe9"), (b"x-a", b"2"), (b"Accept", b"")]
    assert passing(headers) == [(name.lower(), value) for name, value in headers]


def test_headers_of_a_connection_stay_there() -> None:
    """Those that every connection has, and those that ``connection`` names in any case and place."""
    headers = [
        (b"connection", b"close, X-Mine"),
        (b"connection", b"other"),
        (b"x-mine", b"1"),
        (b"OTHER", b"1"),
        (b"keep-alive", b"1"),
        (b"te", b"trailers"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
        (b"x-kept", b"1"),
    ]
    assert passing(headers) == [(b"x-kept", b"1")]


def test_headers_of_ours_stay_here() -> None:
    """Whatever begins with our prefix, in any case."""
    assert passing([(b"Resilient-Policy", b"batch"), (b"resilient-future", b"1"), (b"resilient", b"1")]) == [
        (b"resilient", b"1")
    ]


def test_the_upstream_is_told_its_own_name() -> None:
    """And not what the client expects of the gateway."""
    headers = [(b"host", b"localhost:8642"), (b"expect", b"100-continue"), (b"x-api-key", b"k")]
    assert to_upstream(headers, b"api.test") == [(b"host", b"api.test"), (b"x-api-key", b"k")]


def test_several_values_are_one_list() -> None:
    """As HTTP reads them; a header that is not there is empty."""
    assert value_of([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], b"a") == "1, 3"
    assert value_of([], b"a") == ""


def test_headers_are_left_out_by_name() -> None:
    """All of a name."""
    assert without([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], b"a", b"c") == [(b"b", b"2")]
