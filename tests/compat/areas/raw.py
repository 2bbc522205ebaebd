"""Raw storage (switched on in the configuration), with values of our own."""

A = "sys/raw/own-test/a"


def steps(step):
    return [
        step("read missing", f"GET {A}"),
        step("write", f"POST {A}", {"value": "hello"}),
        step("read", f"GET {A}"),
        step("read base64", f"GET {A}?encoding=base64"),
        step("read bad encoding", f"GET {A}?encoding=odd"),
        step("write base64", f"PUT {A}", {"value": "aGVsbG8=", "encoding": "base64"}),
        step("read decoded", f"GET {A}"),
        step("write bad base64", f"POST {A}", {"value": "%%", "encoding": "base64"}),
        step("write compressed", f"POST sys/raw/own-test/z", {"value": "hello", "compression_type": "gzip"}),
        step("read compressed", "GET sys/raw/own-test/z"),
        step("read not decompressed", "GET sys/raw/own-test/z?compressed=false&encoding=base64", skip_body=True),
        step("write bad compression", "POST sys/raw/own-test/y", {"value": "hello", "compression_type": "odd"}),
        step("write nothing", "POST sys/raw/own-test/n", {}),
        step("write wrong", "POST sys/raw/own-test/n", {"value": {"a": 1}}),
        step("list", "LIST sys/raw/own-test"),
        step("list with slash", "LIST sys/raw/own-test/"),
        step("list limit", "LIST sys/raw/own-test?limit=1"),
        step("list after", "LIST sys/raw/own-test?after=a"),
        step("list missing", "LIST sys/raw/nosuch"),
        step("list root", "LIST sys/raw", skip_body=True),
        step("path in query", "GET sys/raw?path=own-test/a"),
        step("protected", "GET sys/raw/core/keyring"),
        step("protected write", "POST sys/raw/core/keyring", {"value": "x"}),
        step("protected delete", "DELETE sys/raw/core/keyring"),
        step("dots", "GET sys/raw/own-test/..%2f..%2fcore"),
        step("without token", f"GET {A}", token=""),
        step("without rights", f"GET {A}", token="$powerless"),
        step("delete", f"DELETE {A}"),
        step("delete again", f"DELETE {A}"),
        step("delete z", "DELETE sys/raw/own-test/z"),
        step("delete n", "DELETE sys/raw/own-test/n"),
    ]
