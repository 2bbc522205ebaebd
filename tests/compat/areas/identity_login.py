"""A login that must pass MFA, through the auth method that both servers have beside tokens."""

ANY_ORDER = True


def steps(step):
    return [
        step("enable", "POST sys/auth/people", {"type": "userpass"}),
        step("auth mounts", "GET sys/auth/people", save={"people": "data.accessor"}),
        step("user", "POST auth/people/users/ann", {"password": "secret-word", "token_policies": ["default"]}),
        step("login", "POST auth/people/login/ann", {"password": "secret-word"}, token="", save={"entity": "auth.entity_id", "ann": "auth.client_token"}),
        step("entity of the login", "GET identity/entity/id/$entity"),
        step("who am i", "GET auth/token/lookup-self", token="$ann"),
        step("method", "POST identity/mfa/method/totp", {"issuer": "coffer"}, save={"totp": "data.method_id"}),
        step("own secret", "POST identity/mfa/method/totp/generate", {"method_id": "$totp"}, token="$ann"),
        step("enforce", "POST identity/mfa/login-enforcement/all", {"mfa_method_ids": ["$totp"], "auth_method_accessors": ["$people"]}),
        step("login stopped", "POST auth/people/login/ann", {"password": "secret-word"}, token="", save={"challenge": "auth.mfa_requirement.mfa_request_id"}),
        step("wrong code", "POST sys/mfa/validate", {"mfa_request_id": "$challenge", "mfa_payload": {"$totp": ["000000"]}}, token=""),
        step("empty code", "POST sys/mfa/validate", {"mfa_request_id": "$challenge", "mfa_payload": {"$totp": []}}, token=""),
        step("other method", "POST sys/mfa/validate", {"mfa_request_id": "$challenge", "mfa_payload": {"nosuch": ["000000"]}}, token=""),
        step("code in a header", "POST auth/people/login/ann", {"password": "secret-word"}, token="", headers={"X-Vault-MFA": "$totp:000000"}),
        step("no longer enforced", "DELETE identity/mfa/login-enforcement/all"),
        step("wrong password 1", "POST auth/people/login/ann", {"password": "x"}, token=""),
        step("locked users", "GET sys/locked-users"),
        *[step(f"wrong password {n}", "POST auth/people/login/ann", {"password": "x"}, token="") for n in range(2, 6)],
        step("locked out", "POST auth/people/login/ann", {"password": "secret-word"}, token=""),
        step("locked users one", "GET sys/locked-users"),
        step("locked users of mount", "GET sys/locked-users?mount_accessor=$people"),
        step("locked users of another mount", "GET sys/locked-users?mount_accessor=nosuch"),
        step("unlock", "POST sys/locked-users/$people/unlock/ann"),
        step("unlock again", "POST sys/locked-users/$people/unlock/ann"),
        step("unlock unknown mount", "POST sys/locked-users/nosuch/unlock/ann"),
        step("login again", "POST auth/people/login/ann", {"password": "secret-word"}, token=""),
        step("delete method", "DELETE identity/mfa/method/totp/$totp"),
        step("disable", "DELETE sys/auth/people"),
        step("clean entity", "DELETE identity/entity/id/$entity"),
    ]
