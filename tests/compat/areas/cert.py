"""TLS certificates: roles, lists of revoked certificates, settings, and logins of those who show none. Logins with one stand in test_auth_cert.py."""

AT = "auth/cert"
CA = """-----BEGIN CERTIFICATE-----
MIIBYDCCAQagAwIBAgICEAEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLQ29tcGFy
ZWQgQ0EwIBcNMjQwMTAxMDAwMDAwWhgPMjA3NDAxMDEwMDAwMDBaMBYxFDASBgNV
BAMMC0NvbXBhcmVkIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETsC25pzM
bvL/BkoqtXtpyXSKp999n/EXrRVcC4RHIho/Sh1NU+Ma0dC/x/49hVln57/HUpLh
3fLJIhZ2/2dd9qNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw
HQYDVR0OBBYEFB9L7s3o5clMeCpAzxkn/SzAhn4iMAoGCCqGSM49BAMCA0gAMEUC
IE+hT+QBL054TOuOVmoSPwBn26HA1sL9KSdT35Deq3vuAiEAsJ4ghkNY8AnrXmK/
7PjSIGrgp8u3fBkOp83o542pNIM=
-----END CERTIFICATE-----
"""
CLIENT = """-----BEGIN CERTIFICATE-----
MIIBfTCCASSgAwIBAgICEAIwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLQ29tcGFy
ZWQgQ0EwIBcNMjQwMTAxMDAwMDAwWhgPMjA3NDAxMDEwMDAwMDBaMBExDzANBgNV
BAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHN2VlcTMBu8Nivz
pdaX1NuNQ7koT2yqTGqUQPaVONKgU5Nr4kW1sykda6bbKfy0AB2iGL2j69SZuIs7
sqXQz06jZTBjMAwGA1UdEwEB/wQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYD
VR0OBBYEFFwmjnVGVYq/fIjKQvqEuEXRrBM7MB8GA1UdIwQYMBaAFB9L7s3o5clM
eCpAzxkn/SzAhn4iMAoGCCqGSM49BAMCA0cAMEQCIAVL/ov/BYgfa5o05Q9sm+Ut
u2L+u61ZnsL0n7F1nbibAiBPkJcsn5cbx3T5AFySsTBGLEpF4BNkLtn/4m7BrHnW
bw==
-----END CERTIFICATE-----
"""
SERVER_ONLY = """-----BEGIN CERTIFICATE-----
MIIBfTCCASSgAwIBAgICEAMwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLQ29tcGFy
ZWQgQ0EwIBcNMjQwMTAxMDAwMDAwWhgPMjA3NDAxMDEwMDAwMDBaMBExDzANBgNV
BAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABM1VZM+a76GQeANk
6cjn3hGN6Iec5BHHMq0co3HOSrqP340UiS7kMNQQ8FV6Y6F45wfsbRhPV+4fLD8y
i45NmJujZTBjMAwGA1UdEwEB/wQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYD
VR0OBBYEFEtYyeODcWeCKJ8k7gUtrbbTad62MB8GA1UdIwQYMBaAFB9L7s3o5clM
eCpAzxkn/SzAhn4iMAoGCCqGSM49BAMCA0cAMEQCICQyqhrMX1nrNlcKkdthQOl1
5MK9KsYGHx6o5jcQVD9pAiBb4/SM4EZWpU9b5M7Xxe19J/bJaVV1D6arjMx3r2k6
7A==
-----END CERTIFICATE-----
"""
REVOKED = """-----BEGIN X509 CRL-----
MIHiMIGKAgEBMAoGCCqGSM49BAMCMBYxFDASBgNVBAMMC0NvbXBhcmVkIENBFw0y
NDAxMDEwMDAwMDBaGA8yMDc0MDEwMTAwMDAwMFowMTATAgIQAhcNMjQwMTAxMDAw
MDAwWjAaAgkAq1SpjOsfCtIXDTI0MDEwMTAwMDAwMFqgDjAMMAoGA1UdFAQDAgEB
MAoGCCqGSM49BAMCA0cAMEQCIFimZca31+nWKsgABmsameKuNSwv+OOJgqVhZtAM
9DtoAiBJvjSG6uHN5CLodw2+ZCPk3vrZ4cDyqx2lqDRxvc5LXQ==
-----END X509 CRL-----
"""


def steps(step):
    role, crl = f"{AT}/certs/web", f"{AT}/crls/a"
    return [
        step("settings at first", f"GET {AT}/config"),
        *[step(f"settings {fields}", f"POST {AT}/config", fields) for fields in SETTINGS],
        step("settings then", f"GET {AT}/config"),
        step("settings removed", f"DELETE {AT}/config"),
        step("settings as they were", f"POST {AT}/config", {"ocsp_cache_size": 100, "disable_binding": False, "enable_identity_alias_metadata": False}),
        step("list none", f"LIST {AT}/certs"),
        step("read unknown", f"GET {role}"),
        *[step(f"certificate {name}", f"POST {AT}/certs/wrong", fields) for name, fields in CERTIFICATES_REFUSED],
        step("make", f"POST {AT}/certs/Web", {"certificate": CA}),
        step("read", f"GET {role}"),
        step("read in capitals", f"GET {AT}/certs/WEB"),
        step("list", f"LIST {AT}/certs"),
        step("change without a certificate", f"POST {role}", {"display_name": "Shown"}),
        step("take away the certificate", f"POST {role}", {"certificate": ""}),
        step("a certificate of a client", f"POST {AT}/certs/pinned", {"certificate": CLIENT}),
        step("several certificates", f"POST {AT}/certs/several", {"certificate": "words before\n" + CA + CLIENT + "words behind"}),
        step("read several", f"GET {AT}/certs/several"),
        *[step(f"list {field} {value!r}", f"POST {role}", {field: value}) for field in LISTS for value in ("a, b,*.c", ["d", "e"])],
        step("read lists", f"GET {role}"),
        *[step(f"no {field}", f"POST {role}", {field: ""}) for field in LISTS],
        step("read no lists", f"GET {role}"),
        step("an entry without text", f"POST {role}", {"allowed_names": [""]}),
        step("read an entry without text", f"GET {role}"),
        step("old names", f"POST {role}", {"policies": "x,Y,x", "ttl": "1h", "max_ttl": "2h", "period": "3h", "bound_cidrs": "127.0.0.1/32"}),
        step("read old names", f"GET {role}"),
        step("lease", f"POST {AT}/certs/lease", {"certificate": CA, "lease": 100}),
        step("read lease", f"GET {AT}/certs/lease"),
        step("lease and ttl", f"POST {AT}/certs/lease", {"lease": 100, "ttl": 200}),
        step("read lease and ttl", f"GET {AT}/certs/lease"),
        step("new names", f"POST {role}", {"token_policies": "z", "token_ttl": "30m", "token_period": 0}),
        step("read new names", f"GET {role}"),
        step("ocsp", f"POST {role}", {"ocsp_enabled": True, "ocsp_fail_open": "true", "ocsp_query_all_servers": 1, "ocsp_servers_override": "http://a/,https://b/", "ocsp_ca_certificates": CA}),
        step("read ocsp", f"GET {role}"),
        *[step(f"field {field} {value!r}", f"POST {role}", {field: value}) for field, value in WRONG],
        step("longer than the mount", f"POST {AT}/certs/long", {"certificate": CA, "token_ttl": "99999h", "token_max_ttl": "99999h"}),
        step("read longer than the mount", f"GET {AT}/certs/long"),
        step("login without a certificate", f"POST {AT}/login", {"name": "web"}, token=""),
        step("login without a name", f"POST {AT}/login", {}, token=""),
        step("login by reading", f"GET {AT}/login", token=""),
        step("a number for a name", f"POST {AT}/login", {"name": 5}, token=""),
        *[step(f"name {name}", f"POST {AT}/certs/{name}", {"certificate": CA}) for name in ["a%20b", "-ab", "ab-", "a.b", "a_b"]],
        step("list page", f"GET {AT}/certs?list=true&limit=2&after=a.b"),
        step("crls none", f"LIST {AT}/crls"),
        step("crl unknown", f"GET {crl}"),
        step("crl removed before it was", f"DELETE {crl}"),
        *[step(f"crl {name}", f"POST {crl}", fields) for name, fields in LISTS_REFUSED],
        step("crl", f"POST {AT}/crls/A", {"crl": REVOKED}),
        step("read crl", f"GET {crl}"),
        step("crl and url", f"POST {crl}", {"crl": REVOKED, "url": "http://127.0.0.1:1/"}),
        step("read crl and url", f"GET {crl}"),
        step("crls", f"LIST {AT}/crls"),
        step("delete crl", f"DELETE {crl}"),
        step("without token", f"GET {role}", token=""),
        step("without rights", f"GET {role}", token="$powerless"),
        step("crls without token", f"LIST {AT}/crls", token=""),
        step("delete", f"DELETE {role}"),
        step("delete again", f"DELETE {role}"),
        *[step(f"clean {name}", f"DELETE {AT}/certs/{name}") for name in ["pinned", "several", "lease", "long", "a.b", "a_b"]],
    ]


SETTINGS = [
    {}, {"ocsp_cache_size": 0}, {"ocsp_cache_size": -1}, {"ocsp_cache_size": 1}, {"ocsp_cache_size": 2}, {"ocsp_cache_size": 100001}, {"ocsp_cache_size": "x"}, {"disable_binding": "true"},
    {"disable_binding": "x"}, {"enable_identity_alias_metadata": True}, {"nosuch": 1},
]
CERTIFICATES_REFUSED = [("none", {}), ("empty", {"certificate": ""}), ("nonsense", {"certificate": "nonsense"}), ("for servers", {"certificate": SERVER_ONLY}),
                        ("cut", {"certificate": CA[:300] + CA[-30:]}), ("a number", {"certificate": 5})]
LISTS = ["allowed_names", "allowed_common_names", "allowed_dns_sans", "allowed_email_sans", "allowed_uri_sans", "allowed_organizational_units", "required_extensions", "allowed_metadata_extensions"]
LISTS_REFUSED = [("none", {}), ("empty", {"crl": ""}), ("nonsense", {"crl": "nonsense"}), ("a certificate", {"crl": CA}), ("url nonsense", {"url": "nonsense"}), ("url of a file", {"url": "file:///etc/passwd"}),
                 ("url of nobody", {"url": "http://127.0.0.1:1/a.crl"})]
WRONG = [
    ("token_type", "nonsense"), ("token_type", "default-batch"), ("token_bound_cidrs", "nonsense"), ("token_ttl", "nonsense"), ("token_ttl", "-1"), ("token_ttl", "100h"),
    ("token_num_uses", -1), ("token_explicit_max_ttl", -1), ("token_period", "x"), ("token_no_default_policy", "perhaps"), ("token_policies", {"a": 1}), ("nosuch", 1),
    ("ocsp_servers_override", "nonsense"), ("ocsp_ca_certificates", "nonsense"), ("ocsp_enabled", "x"), ("lease", "1h"), ("required_extensions", "nonsense"),
]
