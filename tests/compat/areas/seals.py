"""A server that its seal opens: initialisation, recovery keys and what they allow, sealing and unsealing."""

NONE = ""
WRONG = "ab" * 32 + "07"


def steps(step):
    return [
        step("status before init", "GET sys/seal-status", token=NONE),
        step("unseal before init", "PUT sys/unseal", {"key": "abcd"}, token=NONE),
        step("init with secret shares", "PUT sys/init", {"secret_shares": 5, "secret_threshold": 3}, token=NONE),
        step("init with pgp keys of shares", "PUT sys/init", {"pgp_keys": ["zz"]}, token=NONE),
        step("init with threshold one of several", "PUT sys/init", {"recovery_shares": 3, "recovery_threshold": 1}, token=NONE),
        step("init with a threshold alone", "PUT sys/init", {"recovery_shares": 0, "recovery_threshold": 1}, token=NONE),
        step("init with too high a threshold", "PUT sys/init", {"recovery_shares": 3, "recovery_threshold": 4}, token=NONE),
        step("init with too many shares", "PUT sys/init", {"recovery_shares": 256, "recovery_threshold": 2}, token=NONE),
        step("init with negative counts", "PUT sys/init", {"recovery_shares": -3, "recovery_threshold": -2}, token=NONE),
        step("init with bad pgp keys", "PUT sys/init", {"recovery_shares": 1, "recovery_threshold": 1, "recovery_pgp_keys": ["zz"]}, token=NONE),
        step("init with too few pgp keys", "PUT sys/init", {"recovery_shares": 3, "recovery_threshold": 2, "recovery_pgp_keys": ["zz"]}, token=NONE),
        step("init", "PUT sys/init", {"recovery_shares": 3, "recovery_threshold": 2, "stored_shares": 1}, token=NONE,
             save={"k1": "recovery_keys.0", "k2": "recovery_keys.1", "k3": "recovery_keys_base64.2", "root": "root_token"}),
        step("active", "GET sys/health", token=NONE, repeat_until=lambda status, _: status == 200),
        step("init twice", "PUT sys/init", {"recovery_shares": 3, "recovery_threshold": 2}, token=NONE),
        step("status", "GET sys/seal-status", token=NONE),
        step("unseal while open", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal while open migrating", "PUT sys/unseal", {"key": "$k1", "migrate": True}, token=NONE),
        *rekey(step, "rekey", "sys/rekey", NONE, ""),
        *rekey(step, "rotate", "sys/rotate/root", "$root", "data."),
        step("rotate at once", "POST sys/rotate/root"),
        step("rotate without token", "POST sys/rotate/root", token=NONE),
        *recovery(step, "rekey recovery", "sys/rekey-recovery-key", NONE, ""),
        *recovery(step, "rotate recovery", "sys/rotate/recovery", "$root", "data."),
        *[step(f"{method} {path}", f"{method} sys/{path}") for path in ("rekey/recovery-key-backup", "rotate/recovery/backup", "rekey/backup") for method in ("GET", "DELETE")],
        step("root token status", "GET sys/generate-root/attempt", token=NONE),
        step("root token start", "PUT sys/generate-root/attempt", {}, token=NONE, save={"nonce": "nonce"}),
        step("root token wrong key", "PUT sys/generate-root/update", {"key": WRONG, "nonce": "$nonce"}, token=NONE),
        step("root token wrong keys", "PUT sys/generate-root/update", {"key": "$k1", "nonce": "$nonce"}, token=NONE),
        step("root token key 1", "PUT sys/generate-root/update", {"key": "$k1", "nonce": "$nonce"}, token=NONE),
        step("root token key 2", "PUT sys/generate-root/update", {"key": "$k2", "nonce": "$nonce"}, token=NONE),
        step("seal", "PUT sys/seal"),
        step("status sealed", "GET sys/seal-status", token=NONE),
        step("unseal migrating", "PUT sys/unseal", {"key": "$k1", "migrate": True}, token=NONE),
        step("unseal without key", "PUT sys/unseal", {}, token=NONE),
        step("unseal with nonsense", "PUT sys/unseal", {"key": "nonsense!"}, token=NONE),
        step("unseal 1", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal 1 again", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal reset", "PUT sys/unseal", {"reset": True}, token=NONE),
        step("unseal wrong", "PUT sys/unseal", {"key": WRONG}, token=NONE),
        step("unseal wrong together", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal right 1", "PUT sys/unseal", {"key": "$k1"}, token=NONE),
        step("unseal right 2", "PUT sys/unseal", {"key": "$k2"}, token=NONE),
        step("active again", "GET sys/health", token=NONE, repeat_until=lambda status, _: status == 200),
        step("status in the end", "GET sys/seal-status", token=NONE),
    ]


def rekey(step, name, at, token, data):
    """A new root key, which recovery keys allow; nobody gets keys for it."""
    def ask(what, line, body=None, save=None):
        return step(f"{name}: {what}", line.replace("AT", at), body, token=token, save=save)

    return [
        ask("status", "GET AT/init"),
        ask("with verification", "PUT AT/init", {"require_verification": True}),
        ask("with backup alone", "PUT AT/init", {"backup": True}),
        ask("start", "PUT AT/init", {"secret_shares": 3, "secret_threshold": 2}, save={"nonce": f"{data}nonce"}),
        ask("status started", "GET AT/init"),
        ask("key 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("key 1 again", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("wrong key", "PUT AT/update", {"key": WRONG, "nonce": "$nonce"}),
        ask("key 1 after the wrong one", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("key 2", "PUT AT/update", {"key": "$k2", "nonce": "$nonce"}),
        ask("status done", "GET AT/init"),
        ask("verify status", "GET AT/verify"),
    ]


def recovery(step, name, at, token, data):
    """New recovery keys, with verification and without."""
    def ask(what, line, body=None, save=None):
        return step(f"{name}: {what}", line.replace("AT", at), body, token=token, save=save)

    two = {"secret_shares": 3, "secret_threshold": 2}
    return [
        ask("status", "GET AT/init"),
        ask("verify status before", "GET AT/verify"),
        ask("update before", "PUT AT/update", {"key": "$k1", "nonce": "x"}),
        ask("cancel before", "DELETE AT/init"),
        ask("start with nothing", "PUT AT/init", {}),
        ask("start with threshold one", "PUT AT/init", {"secret_shares": 3, "secret_threshold": 1}),
        ask("start with backup alone", "PUT AT/init", {**two, "backup": True}),
        ask("cancel what that started", "DELETE AT/init"),
        ask("start with bad PGP keys", "PUT AT/init", {**two, "pgp_keys": ["zz", "zz", "zz"]}),
        ask("start", "PUT AT/init", {**two, "require_verification": True}, save={"nonce": f"{data}nonce"}),
        ask("status started", "GET AT/init"),
        ask("key 1", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("key 2", "PUT AT/update", {"key": "$k2", "nonce": "$nonce"},
            save={"n1": f"{data}keys.0", "n2": f"{data}keys.1", "verification": f"{data}verification_nonce"}),
        ask("verify status", "GET AT/verify"),
        ask("verify 1", "PUT AT/verify", {"key": "$n1", "nonce": "$verification"}),
        ask("verify with another nonce", "PUT AT/verify", {"key": "$n1", "nonce": "x"}),
        ask("verify 2", "PUT AT/verify", {"key": "$n2", "nonce": "$verification"}),
        ask("start again", "PUT AT/init", two, save={"nonce": f"{data}nonce"}),
        ask("former key", "PUT AT/update", {"key": "$k1", "nonce": "$nonce"}),
        ask("former keys", "PUT AT/update", {"key": "$k2", "nonce": "$nonce"}),
        ask("new key 1", "PUT AT/update", {"key": "$n1", "nonce": "$nonce"}),
        ask("new key 2", "PUT AT/update", {"key": "$n2", "nonce": "$nonce"}, save={"k1": f"{data}keys.0", "k2": f"{data}keys.1"}),
        ask("status done", "GET AT/init"),
    ]
