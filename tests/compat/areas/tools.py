"""Random bytes and hashes."""


def steps(step):
    algorithms = ["sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512", "md5"]
    return [
        step("random", "POST sys/tools/random"),
        step("random hex", "POST sys/tools/random", {"format": "hex", "bytes": 8}),
        step("random base64", "POST sys/tools/random", {"format": "base64", "bytes": "8"}),
        step("random in path", "POST sys/tools/random/16", {"format": "hex"}),
        step("random both", "POST sys/tools/random/16", {"bytes": 4, "format": "hex"}),
        step("random by PUT", "PUT sys/tools/random/4", {"format": "hex"}),
        *[step(f"random from {source}", f"POST sys/tools/random/{source}", {"format": "hex"}) for source in ("platform", "seal", "all", "odd")],
        step("random from platform 5", "POST sys/tools/random/platform/5", {"format": "hex"}),
        step("random from odd 5", "POST sys/tools/random/odd/5"),
        step("random source in body", "POST sys/tools/random", {"source": "platform", "format": "hex"}),
        step("random bad source in body", "POST sys/tools/random", {"source": "odd"}),
        step("random bad format", "POST sys/tools/random", {"format": "odd"}),
        step("random none", "POST sys/tools/random/0"),
        step("random negative", "POST sys/tools/random", {"bytes": -1}),
        step("random too many", "POST sys/tools/random/131073"),
        step("random not a number", "POST sys/tools/random/platform/x"),
        step("random wrong", "POST sys/tools/random", {"bytes": "many"}),
        step("random read", "GET sys/tools/random/4"),
        step("random without token", "POST sys/tools/random/4", token=""),
        step("random without rights", "POST sys/tools/random/4", token="$powerless"),
        step("hash", "POST sys/tools/hash", {"input": "aGVsbG8="}),
        *[step(f"hash {algorithm}", f"POST sys/tools/hash/{algorithm}", {"input": "aGVsbG8=", "format": "hex"}) for algorithm in algorithms],
        step("hash in body", "POST sys/tools/hash", {"input": "aGVsbG8=", "algorithm": "sha2-512", "format": "base64"}),
        step("hash both", "POST sys/tools/hash/sha2-224", {"input": "aGVsbG8=", "algorithm": "sha2-512"}),
        step("hash empty", "POST sys/tools/hash", {"input": ""}),
        step("hash nothing", "POST sys/tools/hash", {}),
        step("hash not base64", "POST sys/tools/hash", {"input": "%%"}),
        step("hash bad format", "POST sys/tools/hash", {"input": "aGVsbG8=", "format": "odd"}),
        step("hash wrong", "POST sys/tools/hash", {"input": {"a": 1}}),
        step("hash read", "GET sys/tools/hash"),
        step("hash without token", "POST sys/tools/hash", {"input": "aGVsbG8="}, token=""),
    ]
