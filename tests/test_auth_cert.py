"""Logins by TLS client certificates: real handshakes, hvac, the `bao` command line, our own, and the reference beside us."""
import base64
import datetime
import http.server
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import hvac
import hvac.exceptions
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certificates import DAY, NOW, crl, extension, make
from coffer_server import binary, until
from ocsp_responder import OPENSSL, OpenSsl, Responder
from tls_server import TlsServer

BAO = shutil.which(os.environ.get("BAO_CLI", "bao"))
MOUNTS = itertools.count()

UNTRUSTED = "invalid certificate or no client certificate supplied"
UNSATISFIED = "no chain matching all constraints could be found for this login certificate"
UNFIT = "failed to verify client's certificate"
REVOKED = "is revoked"
ANY_USAGE = x509.ObjectIdentifier("2.5.29.37.0")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = TlsServer(binary(), tmp_path_factory.mktemp("coffer"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    if BAO is None:
        pytest.skip("no reference here")
    started = TlsServer(BAO, tmp_path_factory.mktemp("bao"))
    started.ok("POST", "sys/auth/cert", {"type": "cert"})
    yield started
    started.close()


@pytest.fixture(scope="module")
def root_ca():
    return make("Root CA", is_ca=True)


class Mount:
    """One mount of the method, with a role `w` that trusts an authority."""

    def __init__(self, server, authority=None, **role):
        self.server, self.at = server, f"cert{next(MOUNTS)}"
        server.ok("POST", f"sys/auth/{self.at}", {"type": "cert"})
        if authority:
            self.role("w", authority, **role)

    def role(self, name, *trusted, **fields):
        self.server.ok("POST", f"auth/{self.at}/certs/{name}", {"certificate": "".join(made.pem for made in trusted), "token_policies": "p", **fields})

    def crl(self, name, **fields):
        self.server.ok("POST", f"auth/{self.at}/crls/{name}", fields)

    def login(self, made, *chain, name="w"):
        return self.server.show(made, *chain, path=f"auth/{self.at}/login", body={"name": name} if name else {})

    def enter(self, made, *chain, name="w"):
        status, answer = self.login(made, *chain, name=name)
        assert status == 200, answer
        return answer["auth"]

    def refused(self, made, *chain, name="w", why=UNTRUSTED):
        status, answer = self.login(made, *chain, name=name)
        assert status == 400 and why in answer["errors"][0], (status, answer)

    def renew(self, made, token):
        return self.server.show(made, path="auth/token/renew-self", token=token)


def pem(revocations):
    return revocations.public_bytes(serialization.Encoding.PEM).decode()


def test_a_login_says_who_came(server, root_ca):
    mount = Mount(server, root_ca, display_name="Web", token_ttl="10m", allowed_metadata_extensions="1.2.3.4,1.2.3.5")
    server.ok("POST", f"auth/{mount.at}/config", {"enable_identity_alias_metadata": True})
    web = make("web", root_ca, extensions=[extension("1.2.3.4", "hello")])
    auth = mount.enter(web)
    ski = web.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex(":")
    aki = web.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex(":")
    noted = {"cert_name": "w", "common_name": "web", "serial_number": str(web.certificate.serial_number), "subject_key_id": ski, "authority_key_id": aki, "1-2-3-4": "hello"}
    assert auth["metadata"] == noted and auth["policies"] == ["default", "p"] and auth["lease_duration"] == 600
    assert server.ok("GET", "auth/token/lookup-self", token=auth["client_token"])["data"]["display_name"] == f"{mount.at}-Web"
    alias = server.ok("GET", f"identity/entity/id/{auth['entity_id']}")["data"]["aliases"][0]
    assert alias["name"] == "web" and alias["metadata"] == noted
    assert mount.enter(make("web", root_ca))["entity_id"] == auth["entity_id"]


def test_through_hvac(server, root_ca):
    root = hvac.Client(url=server.addr, token="root")
    root.sys.enable_auth_method("cert", path="through-hvac")
    method = {"mount_point": "through-hvac"}
    root.auth.cert.create_ca_certificate_role("web", certificate=root_ca.pem, allowed_common_names="web*", token_policies=["p"], token_ttl=600, **method)
    assert root.auth.cert.list_certificate_roles(**method)["data"]["keys"] == ["web"]
    assert root.auth.cert.read_ca_certificate_role("web", **method)["data"]["allowed_common_names"] == ["web*"]
    root.auth.cert.configure_tls_certificate(disable_binding=False, **method)
    certificate, key = server.files(make("web1", root_ca))
    client = hvac.Client(url=server.tls_addr, cert=(certificate, key), verify=server.ca)
    auth = client.auth.cert.login(name="web", cert_pem=certificate, key_pem=key, **method)["auth"]
    assert auth["policies"] == ["default", "p"] and client.is_authenticated()
    client.auth.token.renew_self()
    other, other_key = server.files(make("mail", root_ca))
    with pytest.raises(hvac.exceptions.InvalidRequest, match="constraints"):
        client.auth.cert.login(name="web", cert_pem=other, key_pem=other_key, **method)
    root.auth.cert.delete_certificate_role("web", **method)
    with pytest.raises(hvac.exceptions.InvalidRequest):
        client.auth.token.renew_self()


@pytest.mark.parametrize("command", ["bao", "coffer"])
def test_through_the_command_lines(server, root_ca, tmp_path, command):
    program = BAO if command == "bao" else binary()
    if program is None:
        pytest.skip("no bao here")
    mount = Mount(server, root_ca)
    certificate, key = server.files(make("web", root_ca))
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith(("BAO_", "VAULT_", "COFFER_"))}, "HOME": str(tmp_path)}
    flags = [f"-address={server.tls_addr}", f"-ca-cert={server.ca}", f"-client-cert={certificate}", f"-client-key={key}"]
    login = [program, "login", *flags, "-method=cert", f"-path={mount.at}"]
    for words in (["name=w"], []):
        done = subprocess.run([*login, "-token-only", *words], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        token = done.stdout.strip()
        assert server.ok("GET", "auth/token/lookup-self", token=token)["data"]["meta"]["cert_name"] == "w"
    shown = subprocess.run([*login, "-no-store", "name=w"], env=environment, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0 and "token_meta_common_name" in shown.stdout, (shown.stdout, shown.stderr)
    if command == "coffer":
        nothing = subprocess.run([program, "login", *flags[:2], "-method=cert"], env=environment, capture_output=True, text=True, timeout=60)
        assert nothing.returncode == 1 and "-client-cert=FILE" in nothing.stderr, nothing
    wrong = subprocess.run([*login, "name=nosuch"], env=environment, capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and UNTRUSTED in wrong.stderr


def test_a_role_is_found_without_its_name(server, root_ca):
    mount = Mount(server)
    web = make("web", root_ca)
    mount.refused(web, name=None)
    mount.role("b", root_ca)
    mount.role("a", root_ca)
    assert mount.enter(web, name=None)["metadata"]["cert_name"] == "a"
    mount.role("a", root_ca, allowed_common_names="other")
    assert mount.enter(web, name=None)["metadata"]["cert_name"] == "b"
    mount.role("z", web)
    assert mount.enter(web, name=None)["metadata"]["cert_name"] == "z"
    assert mount.enter(web, name="B")["metadata"]["cert_name"] == "b"


def test_nothing_shown_and_nothing_trusted(server, root_ca):
    mount = Mount(server, root_ca)
    for status, answer in (mount.login(None), server.call("POST", f"auth/{mount.at}/login", {"name": "w"}, token=None)):
        assert status == 400 and answer["errors"] == ["no client certificate found"]
    stranger = make("web", make("Root CA", is_ca=True))
    answers = {json.dumps(mount.login(made, name=name)) for made in (stranger, make("web")) for name in ("w", "nosuch", "no/such", None)}
    assert answers == {json.dumps([400, {"errors": [UNTRUSTED]}])}


def test_a_token_is_renewed_with_the_certificate_of_its_login_alone(server, root_ca):
    mount = Mount(server, root_ca, token_ttl="10m")
    web = make("web", root_ca)
    token = mount.enter(web)["client_token"]
    assert mount.renew(web, token)[0] == 200
    others = [make("web", root_ca), make("web", root_ca, key=web.key), make("web", root_ca, serial=web.certificate.serial_number)]
    for other in others:
        status, answer = mount.renew(other, token)
        assert status == 400 and "client identity during renewal" in answer["errors"][0]
    assert mount.renew(None, token) == (400, {"errors": ["no client certificate found"]})
    mount.role("w", root_ca, token_ttl="5m")
    assert mount.renew(web, token)[1]["auth"]["lease_duration"] == 300
    mount.role("w", root_ca, allowed_common_names="other")
    assert UNSATISFIED in mount.renew(web, token)[1]["errors"][0]
    mount.role("w", root_ca, allowed_common_names="", token_policies="q")
    assert "policies have changed" in mount.renew(web, token)[1]["errors"][0]
    mount.role("w", make("Other", is_ca=True), token_policies="p")
    assert UNTRUSTED in mount.renew(web, token)[1]["errors"][0]
    mount.role("w", root_ca)
    mount.crl("c", crl=pem(crl(root_ca, [web.certificate.serial_number])))
    assert REVOKED in mount.renew(web, token)[1]["errors"][0]
    server.ok("POST", f"auth/{mount.at}/config", {"disable_binding": True})
    assert mount.renew(None, token)[0] == 200 and mount.renew(others[0], token)[0] == 200
    server.ok("DELETE", f"auth/{mount.at}/certs/w")
    assert mount.renew(web, token)[0] == 400


def test_addresses_and_kinds_of_tokens(server, root_ca):
    mount = Mount(server, root_ca, token_bound_cidrs="10.0.0.0/8")
    web = make("web", root_ca)
    assert mount.login(web)[0] == 403
    mount.role("w", root_ca, token_bound_cidrs="", token_type="batch")
    assert mount.enter(web)["token_type"] == "batch"
    mount.role("w", root_ca, token_type="service", token_num_uses=1)
    assert mount.enter(web)["num_uses"] == 1


def chain_of(authority, length):
    """Authorities below one another, the lowest first."""
    made = [authority]
    for depth in range(length):
        made.append(make(f"below {depth}", made[-1], is_ca=True))
    return made[:0:-1]


def lookalike(of, **other):
    """Another certificate with the names, the number and the key ids of one."""
    ski = of.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return make(None, subject=of.certificate.subject, serial=of.certificate.serial_number, ski=ski, **other)


def ways_in(ca):
    """What is trusted, what is shown, what we say, and what the reference says where that differs."""
    sub, signs_nothing = make("Sub", ca, is_ca=True), make("Signs nothing", ca, is_ca=True, can_sign=False)
    short, leaf = make("Short", ca, is_ca=True, path_length=0), make("leaf", ca)
    below_short = make("Below", short, is_ca=True)
    bounded = make("Bounded", ca, is_ca=True, extensions=[x509.NameConstraints([x509.DNSName("ok.com")], None)])
    bounded_mail = make("Bounded mail", ca, is_ca=True, extensions=[x509.NameConstraints([x509.RFC822Name("ok.com")], None)])
    pinned, short_root = make("pinned"), make("Short root", is_ca=True, path_length=0)
    own_ca, old_root = make("own", is_ca=True), make("Old", is_ca=True, end=NOW - DAY / 2)
    no_signer, plain = make("No signer", is_ca=True, can_sign=False), make("Plain", basic=False)
    weak, strong = make("Weak", is_ca=True, key=rsa.generate_private_key(65537, 1024)), make("Strong", is_ca=True, key=ec.generate_private_key(ec.SECP521R1()))
    edwards = make("Edwards", is_ca=True, key=ed25519.Ed25519PrivateKey.generate())
    twin = make("Root CA", is_ca=True)
    sub_of_short_root = make("Sub", short_root, is_ca=True)
    old_leaf, late_pin = make("x", ca, end=NOW - DAY / 2), make("late", end=NOW - DAY / 2)
    deep, too_deep = chain_of(ca, 6), chain_of(ca, 7)
    yes, both = "yes", lambda trusted, shown, ours: (trusted, shown, ours, ours)
    return {
        "signed by the authority": both([ca], [make("x", ca)], yes),
        "any usage": both([ca], [make("x", ca, usage=[ANY_USAGE])], yes),
        "no usage said": both([ca], [make("x", ca, usage=())], yes),
        "no key ids": both([ca], [make("x", ca, key_ids=False)], yes),
        "RSA": both([ca], [make("x", ca, key=rsa.generate_private_key(65537, 2048))], yes),
        "Ed25519": both([ca], [make("x", ca, key=ed25519.Ed25519PrivateKey.generate())], yes),
        "P-521 signs by SHA-512": both([strong], [make("x", strong, digest=hashes.SHA512())], yes),
        "Ed25519 signs": both([edwards], [make("x", edwards)], yes),
        "through an authority between": both([ca], [make("x", sub), sub], yes),
        "with the root itself": both([ca], [make("x", sub), sub, ca], yes),
        "an authority between is trusted alone": both([sub], [make("x", sub)], yes),
        "six authorities between": both([ca], [make("x", deep[0]), *deep], yes),
        "second of two authorities of one name": both([twin, ca], [make("x", ca)], yes),
        "self-signed authority shown itself": both([own_ca], [own_ca], yes),
        "pinned": both([pinned], [pinned], yes),
        "pinned, signed by somebody": both([leaf], [leaf], yes),
        "a hundred certificates": both([ca], [make("x", ca), *(make(f"junk {at}", is_ca=True) for at in range(99))], yes),
        "name within the bounds": both([ca], [make("x", bounded, dns=["a.ok.com"]), bounded], yes),
        "short path": both([ca], [make("x", short), short], yes),
        "thousands of names": both([ca], [make("x", ca, dns=[f"h{at}.example.com" for at in range(1500)])], yes),
        # Refused.
        "expired": ([ca], [old_leaf], UNFIT, 500),
        "not yet valid": ([ca], [make("x", ca, start=NOW + DAY)], UNFIT, 500),
        "for servers": ([ca], [make("x", ca, usage=[ExtendedKeyUsageOID.SERVER_AUTH])], UNFIT, 500),
        "name out of bounds": ([ca], [make("x", bounded, dns=["a.bad.com"]), bounded], UNFIT, 500),
        "mail out of bounds": ([ca], [make("x", bounded_mail, emails=["a@bad.com"]), bounded_mail], UNFIT, 500),
        "path too long": ([ca], [make("x", below_short), below_short, short], UNFIT, 500),
        "path longer than the root allows": ([short_root], [make("x", sub_of_short_root), sub_of_short_root], UNFIT, 500),
        "authority expired": ([old_root], [make("x", old_root)], UNFIT, 500),
        "pinned and expired": ([late_pin], [late_pin], UNFIT, 500),
        "same name, another authority": both([ca], [make("x", twin)], UNTRUSTED),
        "same name, with it": both([ca], [make("x", twin), twin], UNTRUSTED),
        "authority between not shown": both([ca], [make("x", sub)], UNTRUSTED),
        "a leaf signs": both([ca], [make("x", leaf), leaf], UNTRUSTED),
        "a pinned leaf signs": both([pinned], [make("x", pinned)], UNTRUSTED),
        "root may not sign": both([no_signer], [make("x", no_signer)], UNTRUSTED),
        "root is no authority": both([plain], [make("x", plain)], UNTRUSTED),
        "self-signed stranger": both([ca], [make("x")], UNTRUSTED),
        "pinned look-alike": both([pinned], [lookalike(pinned)], UNTRUSTED),
        "pinned look-alike by another authority": both([leaf], [make("leaf", twin, serial=leaf.certificate.serial_number)], UNTRUSTED),
        "pinned look-alike by the same authority": both([leaf], [make("leaf", ca, serial=leaf.certificate.serial_number)], UNTRUSTED),
        "pinned key in another certificate": both([pinned], [lookalike(pinned, key=pinned.key)], UNTRUSTED),
        "look-alike with the real one behind": both([pinned], [lookalike(pinned), pinned], UNTRUSTED),
        "victim behind one's own": both([leaf], [make("x", twin), leaf, ca], UNTRUSTED),
        # Better, or other, than the reference.
        "signer may not sign": ([ca], [make("x", signs_nothing), signs_nothing], UNFIT, UNTRUSTED),
        "look-alike of the root": ([ca], [lookalike(ca, is_ca=True)], UNFIT, UNTRUSTED),
        "an authority's own certificate": ([ca], [sub], UNFIT, yes),
        "seven authorities between": ([ca], [make("x", too_deep[0]), *too_deep], UNFIT, yes),
        "weak authority": ([weak], [make("x", weak)], UNTRUSTED, yes),
        "without a common name": ([ca], [make("", ca, dns=["a.example.com"])], "missing name in alias", 500),
        "an end within the common name": ([ca], [make("admin\0.evil", ca)], "a name in the certificate", yes),
        "an end within a DNS name": ([ca], [make("x", ca, extensions=[nul_in_dns()])], "a name in the certificate", yes),
    }


def nul_in_dns():
    name = b"admin.example.com\0.evil.com"
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes([0x30, len(name) + 2, 0x82, len(name)]) + name)


def outcome(answer):
    status, body = answer
    return "yes" if status == 200 else (status, body["errors"][0])


def is_as(said, expected):
    if expected == "yes" or said == "yes":
        return said == expected
    return said[0] == expected if isinstance(expected, int) else said[0] == 400 and expected in said[1]


def test_ways_in_beside_the_reference(server, reference, root_ca):
    mount, wrong = Mount(server), []
    theirs = Mount(reference)
    for label, (trusted, shown, ours, their) in ways_in(root_ca).items():
        for one, expected in ((mount, ours), (theirs, their)):
            one.role("w", *trusted)
            said = outcome(one.login(*shown))
            if not is_as(said, expected):
                wrong.append((label, "Coffer" if one is mount else "reference", said, expected))
    assert not wrong, wrong


CONSTRAINTS = [
    # One setting, whether it lets in a certificate of CN web.a.b, and whether the reference does where that differs.
    ({"allowed_names": "web.a.b"}, True), ({"allowed_names": "*.example.com"}, True), ({"allowed_names": "a@example.com"}, True), ({"allowed_names": "WEB.a.b"}, False),
    ({"allowed_names": "spiffe://h/a/b"}, False), ({"allowed_names": "no,web.a.b"}, True), ({"allowed_names": [""]}, False), ({"allowed_names": ""}, True),
    ({"allowed_common_names": "w*b"}, True), ({"allowed_common_names": "web.example.com"}, False), ({"allowed_common_names": "web.a.?"}, False), ({"allowed_common_names": "*"}, True),
    ({"allowed_dns_sans": "*.example.com"}, True), ({"allowed_dns_sans": "web.a.b"}, False), ({"allowed_dns_sans": "example.com"}, False), ({"allowed_dns_sans": "WEB.EXAMPLE.COM"}, False),
    ({"allowed_email_sans": "*@example.com"}, True), ({"allowed_email_sans": "a@EXAMPLE.com"}, False), ({"allowed_email_sans": "web.example.com"}, False),
    ({"allowed_uri_sans": "spiffe://*/b"}, True), ({"allowed_uri_sans": "spiffe://h"}, False), ({"allowed_uri_sans": "web.example.com"}, False),
    ({"allowed_organizational_units": "ops"}, True), ({"allowed_organizational_units": "e*"}, True), ({"allowed_organizational_units": "E*"}, False),
    ({"allowed_common_names": "no", "allowed_dns_sans": "*"}, False),
    ({"required_extensions": "1.2.3.4:h*o"}, True), ({"required_extensions": "1.2.3.4:no"}, False), ({"required_extensions": "1.2.3.4:hello,1.2.3.99:*"}, False),
    ({"required_extensions": "1.2.3.5:*"}, True), ({"required_extensions": "1.2.3.5:1"}, False), ({"required_extensions": "1.2.3.99:*"}, False), ({"required_extensions": "nonsense"}, False),
    ({"required_extensions": "1.2.3.4:a:b"}, False), ({"required_extensions": "2.5.29.37:*"}, True),
    ({"required_extensions": "hex:1.2.3.5:020105"}, True, False), ({"required_extensions": "hex:1.2.3.4:0C05*"}, True, False), ({"required_extensions": "hex:1.2.3.5:0201"}, False),
    ({"required_extensions": "hex:1.2.3.4:zz"}, False),
]


def test_constraints_beside_the_reference(server, reference, root_ca):
    web = make("web.a.b", root_ca, dns=["web.example.com", "x.y.example.com"], emails=["a@example.com"], uris=["spiffe://h/a/b"], units=["eng", "ops"],
               extensions=[extension("1.2.3.4", "hello"), extension("1.2.3.5", bytes([2, 1, 5]))])
    mount, theirs = Mount(server), Mount(reference)
    for at, (setting, *expected) in enumerate(CONSTRAINTS):
        for one, fits in ((mount, expected[0]), (theirs, expected[-1])):
            one.role(f"r{at}", root_ca, **setting)
            said = outcome(one.login(web, name=f"r{at}"))
            assert said == ("yes" if fits else (400, UNSATISFIED)), (setting, one is mount, said)


def test_certificates_of_version_1(server, root_ca, tmp_path):
    """What `openssl x509 -req` makes without a file of extensions."""
    mount = Mount(server, root_ca)
    certificate, key = root_ca.files(tmp_path, "ca")
    other, other_key = make("Root CA", is_ca=True).files(tmp_path, "other")
    run = lambda *words: subprocess.run([OPENSSL, *words], check=True, capture_output=True, cwd=tmp_path)
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "old.key", "-out", "old.csr", "-subj", "/CN=old")
    outcomes = []
    for signer, signer_key in ((certificate, key), (other, other_key)):
        run("x509", "-req", "-in", "old.csr", "-CA", signer, "-CAkey", signer_key, "-CAcreateserial", "-days", "2", "-out", "old.pem")
        assert x509.load_pem_x509_certificate((tmp_path / "old.pem").read_bytes()).version is x509.Version.v1
        answer = requests.post(f"{server.tls_addr}/v1/auth/{mount.at}/login", json={"name": "w"}, cert=(str(tmp_path / "old.pem"), str(tmp_path / "old.key")), verify=server.ca, timeout=60)
        outcomes.append(answer.status_code)
    assert outcomes == [200, 400]


def test_lists_of_revoked_certificates(server, root_ca):
    mount = Mount(server, root_ca)
    sub = make("Sub", root_ca, is_ca=True)
    web, mail, pinned = make("web", root_ca), make("mail", sub), make("pinned", root_ca)
    mount.role("pin", pinned)
    for made in ([web], [mail, sub]):
        mount.enter(*made)
    mount.crl("root", crl=pem(crl(root_ca, [web.certificate.serial_number, pinned.certificate.serial_number])))
    assert server.ok("GET", f"auth/{mount.at}/crls/root")["data"]["serials"] == {str(made.certificate.serial_number): {} for made in (web, pinned)}
    mount.refused(web, why=REVOKED)
    mount.refused(pinned, name="pin", why=REVOKED)
    mount.enter(mail, sub)
    # The same number means nothing at another issuer.
    mount.crl("root", crl=pem(crl(make("Other", is_ca=True), [web.certificate.serial_number])))
    mount.enter(web)
    # One that vouches is revoked.
    mount.crl("root", crl=crl(root_ca, [sub.certificate.serial_number]).public_bytes(serialization.Encoding.PEM).decode())
    mount.refused(mail, sub, why=REVOKED)
    mount.enter(web)
    # A list does not end by itself.
    mount.crl("root", crl=pem(crl(root_ca, [web.certificate.serial_number], start=NOW - 9 * DAY, end=NOW - 8 * DAY)))
    mount.refused(web, why=REVOKED)
    server.ok("DELETE", f"auth/{mount.at}/crls/root")
    mount.enter(web)
    mount.enter(mail, sub)
    for wrong in ({}, {"crl": ""}, {"crl": "nonsense"}, {"crl": root_ca.pem}, {"url": "file:///etc/passwd"}, {"url": "nonsense"}):
        assert server.call("POST", f"auth/{mount.at}/crls/x", wrong)[0] == 400, wrong


class Publisher:
    """Where an authority publishes its list."""

    def __init__(self, content):
        publisher = self
        self.content, self.asked = content, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(publisher.content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/a.crl"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_a_list_that_is_fetched_has_to_be_signed_by_its_issuer(server, root_ca):
    mount = Mount(server, root_ca)
    web, mail = make("web", root_ca), make("mail", root_ca)
    publisher = Publisher(crl(root_ca, [web.certificate.serial_number]).public_bytes(serialization.Encoding.DER))
    try:
        mount.crl("cdp", url=publisher.url)
        shown = server.ok("GET", f"auth/{mount.at}/crls/cdp")["data"]
        assert shown["cdp"]["url"] == publisher.url and shown["cdp"]["valid_until"].startswith(f"{NOW + DAY:%Y-%m-%d}")
        mount.refused(web, why=REVOKED)
        mount.enter(mail)
        # Somebody on the way exchanges it for one that revokes nobody.
        publisher.content = crl(make("Root CA", is_ca=True), []).public_bytes(serialization.Encoding.DER)
        mount.crl("cdp", url=publisher.url)
        mount.refused(web, why="not signed by its issuer")
        publisher.content = b"nonsense"
        assert server.call("POST", f"auth/{mount.at}/crls/cdp", {"url": publisher.url})[0] == 400
    finally:
        publisher.close()
    assert server.call("POST", f"auth/{mount.at}/crls/gone", {"url": publisher.url})[0] >= 400


@pytest.fixture
def responder(root_ca):
    made = Responder(root_ca)
    yield made
    made.close()


def test_ocsp_decides(server, root_ca, responder):
    mount = Mount(server, root_ca, ocsp_enabled=True)
    web = make("web", root_ca, ocsp=responder.url)
    mount.enter(web)
    mount.enter(web)
    assert responder.asked == 1, "an answer is kept while it holds"
    responder.status = ocsp.OCSPCertStatus.REVOKED
    mount.enter(web)
    mount.refused(make("other", root_ca, ocsp=responder.url), why=REVOKED)
    responder.status = ocsp.OCSPCertStatus.UNKNOWN
    mount.refused(make("third", root_ca, ocsp=responder.url), why="does not know")
    mount.refused(make("no server", root_ca), why="names none")
    mount.role("w", root_ca, ocsp_servers_override=responder.url)
    responder.status = ocsp.OCSPCertStatus.GOOD
    mount.enter(make("no server", root_ca))


def delegate(ca, **other):
    return make("Responder", ca, **{"usage": [ExtendedKeyUsageOID.OCSP_SIGNING], **other})


LIES = {
    "signed by somebody else": lambda it, ca: setattr(it, "signer", make("Root CA", is_ca=True)),
    "signed by somebody else, who comes with it": lambda it, ca: vars(it).update(signer=delegate(make("Root CA", is_ca=True)), with_signer=True),
    "signed by a client": lambda it, ca: vars(it).update(signer=make("client", ca), with_signer=True),
    "signed by a server": lambda it, ca: vars(it).update(signer=delegate(ca, usage=[ExtendedKeyUsageOID.SERVER_AUTH]), with_signer=True),
    "signed by one with any usage": lambda it, ca: vars(it).update(signer=delegate(ca, usage=[ANY_USAGE]), with_signer=True),
    "signed by a delegate that has expired": lambda it, ca: vars(it).update(signer=delegate(ca, end=NOW - DAY / 2), with_signer=True),
    "signed by a delegate that does not come with it": lambda it, ca: setattr(it, "signer", delegate(ca)),
    "changed on its way": lambda it, ca: setattr(it, "spoil", True),
    "about another certificate": lambda it, ca: setattr(it, "about", 12345),
    "to another question": lambda it, ca: setattr(it, "nonce", b"another nonce"),
    "of last week": lambda it, ca: vars(it).update(start=NOW - 9 * DAY, end=NOW - 8 * DAY),
    "of tomorrow": lambda it, ca: vars(it).update(start=NOW + DAY, end=NOW + 2 * DAY),
    "old, and without an end": lambda it, ca: vars(it).update(start=NOW - 2 * DAY, end=None),
    "nonsense": lambda it, ca: setattr(it, "raw", b"nonsense"),
    "empty": lambda it, ca: setattr(it, "raw", b""),
    "try later": lambda it, ca: setattr(it, "raw", bytes([0x30, 3, 0x0A, 1, 3])),
    "success without an answer": lambda it, ca: setattr(it, "raw", bytes([0x30, 3, 0x0A, 1, 0])),
    "too long": lambda it, ca: setattr(it, "raw", b"\x30" * 100_000),
    "an error": lambda it, ca: setattr(it, "http_status", 500),
}


@pytest.mark.parametrize("lie", LIES)
def test_answers_of_ocsp_that_are_not_believed(server, root_ca, responder, lie):
    mount = Mount(server, root_ca, ocsp_enabled=True, ocsp_max_retries=0)
    LIES[lie](responder, root_ca)
    web = make("web", root_ca, ocsp=responder.url)
    mount.refused(web, why="no OCSP responder says that the certificate is good")
    assert responder.asked == 1
    mount.role("w", root_ca, ocsp_fail_open=True)
    mount.enter(web)


def test_who_may_sign_answers_of_ocsp(server, root_ca, responder):
    mount = Mount(server, root_ca, ocsp_enabled=True)
    vars(responder).update(signer=delegate(root_ca), with_signer=True, echo=False)
    mount.enter(make("web", root_ca, ocsp=responder.url))
    named = make("Named by the operator")
    responder.signer = named
    mount.refused(make("web2", root_ca, ocsp=responder.url), why="not signed by anybody who may")
    mount.role("w", root_ca, ocsp_ca_certificates=named.pem)
    mount.enter(make("web3", root_ca, ocsp=responder.url))


def test_ocsp_with_several_responders(server, root_ca, responder):
    other = Responder(root_ca)
    try:
        dead = "http://127.0.0.1:1/"
        mount = Mount(server, root_ca, ocsp_enabled=True, ocsp_servers_override=[dead, responder.url, other.url])
        mount.enter(make("web", root_ca))
        assert (responder.asked, other.asked) == (1, 0)
        mount.role("w", root_ca, ocsp_query_all_servers=True)
        mount.refused(make("web2", root_ca), why="no OCSP responder")
        mount.role("w", root_ca, ocsp_servers_override=[responder.url, other.url])
        mount.enter(make("web3", root_ca))
        other.status = ocsp.OCSPCertStatus.REVOKED
        mount.refused(make("web4", root_ca), why=REVOKED)
        # A dead one must not hide that it is revoked.
        mount.role("w", root_ca, ocsp_servers_override=[dead, other.url], ocsp_query_all_servers=False, ocsp_fail_open=True)
        mount.refused(make("web5", root_ca), why=REVOKED)
    finally:
        other.close()


def test_ocsp_age_and_pinned_certificates(server, root_ca, responder):
    responder.start = NOW - 2 * datetime.timedelta(hours=1)
    mount = Mount(server, root_ca, ocsp_enabled=True, ocsp_this_update_max_age="1h")
    mount.refused(make("web", root_ca, ocsp=responder.url), why="not of this time")
    responder.start = NOW
    mount.enter(make("web2", root_ca, ocsp=responder.url))
    pinned, alone = make("pinned", root_ca, ocsp=responder.url), make("alone")
    mount.role("pin", pinned, ocsp_enabled=True)
    mount.refused(pinned, name="pin", why="OCSP needs the issuer")
    mount.enter(pinned, root_ca, name="pin")
    responder.status = ocsp.OCSPCertStatus.REVOKED
    revoked = make("revoked", root_ca, ocsp=responder.url)
    mount.role("pin", revoked, ocsp_enabled=True)
    mount.refused(revoked, root_ca, name="pin", why=REVOKED)
    mount.role("alone", alone, ocsp_enabled=True)
    mount.enter(alone, name="alone")


def test_a_responder_that_hangs_costs_a_bounded_time(server, root_ca):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        mount = Mount(server, root_ca, ocsp_enabled=True, ocsp_servers_override=address, ocsp_max_retries=4)
        begun = datetime.datetime.now()
        mount.refused(make("web", root_ca), why="no OCSP responder")
        assert datetime.datetime.now() - begun < datetime.timedelta(seconds=20)


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here")
@pytest.mark.parametrize("is_delegated", [False, True])
def test_ocsp_by_openssl(server, root_ca, tmp_path, is_delegated):
    good, revoked, unknown = make("good", root_ca), make("revoked", root_ca), make("unknown", root_ca)
    asked = OpenSsl(tmp_path, root_ca, delegate(root_ca) if is_delegated else root_ca, [revoked], [good])
    try:
        mount = Mount(server, root_ca, ocsp_enabled=True, ocsp_servers_override=asked.url)
        mount.enter(good)
        mount.refused(revoked, why=REVOKED)
        mount.refused(unknown, why="does not know")
    finally:
        asked.close()


def test_over_http_2(server, root_ca):
    """curl speaks HTTP/2 over TLS; the certificate is that of the connection, whatever runs in it."""
    curl = shutil.which("curl")
    if curl is None or b"HTTP2" not in subprocess.run([curl, "-V"], capture_output=True).stdout:
        pytest.skip("no curl with HTTP/2 here")
    mount = Mount(server, root_ca)
    certificate, key = server.files(make("web", root_ca))
    words = [curl, "-sS", "--http2", "--cacert", server.ca, "--cert", certificate, "--key", key, "-d", '{"name":"w"}', "-w", "\n%{http_version} %{http_code}\n"]
    url = f"{server.tls_addr}/v1/auth/{mount.at}/login"
    done = subprocess.run([*words, url, url], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n2 200\n") == 2, (done.stdout, done.stderr)


def test_what_is_no_certificate_is_refused_before_it_is_kept(server, root_ca):
    mount = Mount(server)
    server_only = make("x", usage=[ExtendedKeyUsageOID.SERVER_AUTH])
    spoilt = root_ca.pem.replace("\nMII", "\nMIJ")
    for wrong in (None, "", "nonsense", root_ca.key_pem, spoilt, server_only.pem, "".join([root_ca.pem] * 65)):
        status, answer = server.call("POST", f"auth/{mount.at}/certs/x", {} if wrong is None else {"certificate": wrong})
        assert status == 400, (wrong, answer)
    for field, value in (("ocsp_servers_override", "ldap://h"), ("ocsp_ca_certificates", "x"), ("ocsp_max_retries", 5), ("allowed_names", ["x"] * 1001), ("token_type", "x"), ("lease", -1)):
        assert server.call("POST", f"auth/{mount.at}/certs/x", {"certificate": root_ca.pem, field: value})[0] == 400, field
    assert server.call("GET", f"auth/{mount.at}/certs/x")[0] == 404


def test_a_proxy_that_ends_tls_passes_certificates_on(root_ca, tmp_path):
    """Only proxies that are named are believed, and their own certificate is nobody's way in."""
    listener = '  x_forwarded_for_authorized_addrs = "127.0.0.1/32"\n  x_forwarded_for_reject_not_present = false\n  x_forwarded_for_client_cert_header = "Client-Cert"\n' \
               '  x_forwarded_for_client_cert_decoders = ["RFC9440"]\n'
    web = make("web", root_ca)
    passed = {"X-Forwarded-For": "192.0.2.1", "Client-Cert": f":{base64.b64encode(web.der).decode()}:"}
    for listens, is_believed in ((listener, True), (listener.replace("127.0.0.1/32", "192.0.2.0/24") + "  x_forwarded_for_reject_not_authorized = false\n", False)):
        server = TlsServer(binary(), tmp_path / str(is_believed), listens)
        try:
            server.ok("POST", "sys/auth/cert", {"type": "cert"})
            server.ok("POST", "auth/cert/certs/w", {"certificate": root_ca.pem})
            own = server.files(make("proxy", root_ca))

            def ask(headers, cert=None, path="auth/cert/login", method="POST"):
                answer = requests.request(method, f"{server.tls_addr}/v1/{path}", json={}, headers=headers, cert=cert, verify=server.ca, timeout=60)
                return answer.status_code, answer.json()

            for cert in (None, own):
                status, answer = ask(passed, cert)
                name = answer["auth"]["metadata"]["common_name"] if status == 200 else answer["errors"][0]
                assert name == ("web" if is_believed else "proxy" if cert else "no client certificate found"), (cert, is_believed)
            if is_believed:
                token = ask(passed)[1]["auth"]["client_token"]
                assert ask({**passed, "X-Vault-Token": token}, path="auth/token/renew-self")[0] == 200
                assert ask({"X-Forwarded-For": "192.0.2.1", "X-Vault-Token": token}, path="auth/token/renew-self")[0] == 400
                assert ask({"X-Forwarded-For": "192.0.2.1"}, own) == (400, {"errors": ["no client certificate found"]})
                for wrong in ("nonsense", base64.b64encode(web.der).decode(), ":AAAA:"):
                    assert ask({**passed, "Client-Cert": wrong})[0] == 400
        finally:
            server.close()


def test_audit_tells_the_number_of_a_certificate_that_the_listener_verified(root_ca, tmp_path):
    (tmp_path / "clients.pem").write_text(root_ca.pem)
    listener = f'  tls_client_ca_file = "{tmp_path}/clients.pem"\n  tls_require_and_verify_client_cert = true\n'
    web = make("web", root_ca)
    for listens, told in ((listener, str(web.certificate.serial_number)), ("", None)):
        server = TlsServer(binary(), tmp_path / f"server-{told}", listens)
        try:
            log = server.folder / "audit.log"
            server.ok("POST", "sys/audit/file", {"type": "file", "options": {"file_path": str(log)}})
            assert server.show(web, path="auth/token/lookup-self", method="GET")[0] == 403
            lines = [json.loads(line)["request"] for line in log.read_text().splitlines()]
            asked = [line for line in lines if line["path"] == "auth/token/lookup-self"]
            assert asked and {line.get("client_certificate_serial_number") for line in asked} == {told}
        finally:
            server.close()
