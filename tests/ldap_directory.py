"""A real OpenLDAP for the tests: a slapd of its own on free loopback ports, with ldap, ldaps and StartTLS."""
import datetime
import ipaddress
import os
import signal
import socket
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SUFFIX = "dc=example,dc=org"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-word"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
SLAPD = "/usr/sbin/slapd"
START_S = 15

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
{schema}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient {verify}
allow bind_anon_cred bind_anon_dn
{more}
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
overlay memberof
memberof-refint true
access to attrs=userPassword by anonymous auth by self write by * none
access to * by * read
"""

# What Active Directory calls things, as far as a schema here allows it.
SCHEMA = """
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'tokenGroups' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'windowsLike' SUP top AUXILIARY MAY ( sAMAccountName $ userPrincipalName $ objectSid $ tokenGroups ) )
"""


class Directory:
    """One slapd in `folder`."""

    def __init__(self, folder, verify="never", more=""):
        self.folder = str(folder)
        os.makedirs(os.path.join(self.folder, "data"), exist_ok=True)
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        make_certificates(self.folder)
        self._write("windows.schema", SCHEMA)
        self._write("slapd.conf", CONFIG.format(folder=self.folder, suffix=SUFFIX, admin=ADMIN, password=ADMIN_PASSWORD, verify=verify, more=more,
                                                schema=f"include {self.folder}/windows.schema"))

    def start(self, fill=False):
        """Starts it; `fill` puts people and groups in before, for those where nobody may who has no certificate."""
        if fill:
            self._write("base.ldif", BASE)
            subprocess.run(["/usr/sbin/slapadd", "-f", os.path.join(self.folder, "slapd.conf"), "-l", os.path.join(self.folder, "base.ldif")],
                           check=True, capture_output=True)
        urls = f"{self.url} {self.tls_url}"
        command = [SLAPD, "-d", "0", "-f", os.path.join(self.folder, "slapd.conf"), "-h", urls]
        with open(os.path.join(self.folder, "slapd.log"), "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, "slapd does not start:\n" + self.log()
            time.sleep(0.05)
        return self

    def fill(self):
        """People and groups that every test may count on."""
        self.add(BASE)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def add(self, ldif):
        self._tool("ldapadd", ldif)

    def modify(self, ldif):
        self._tool("ldapmodify", ldif)

    def accepts(self, dn, password):
        command = ["ldapwhoami", "-x", "-H", self.url, "-D", dn, "-w", password]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def log(self):
        return self.read("slapd.log")[-3000:]

    def _tool(self, name, ldif):
        command = [name, "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD]
        done = subprocess.run(command, input=ldif, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def _listens(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1), socket.create_connection(("127.0.0.1", self.tls_port), 1):
                return True
        except OSError:
            return False

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def person(uid, cn, password, more=""):
    return (f"dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\nobjectClass: windowsLike\nuid: {uid}\ncn: {cn}\nsn: {cn}\n"
            f"mail: {uid}@example.org\nuserPassword: {password}\n{more}\n")


def group(cn, *members, more=""):
    lines = "".join(f"member: {member}\n" for member in members)
    return f"dn: cn={cn},{GROUPS}\nobjectClass: groupOfNames\n{more}cn: {cn}\n{lines}\n"


BASE = f"""dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

""" + "".join([
    person("ann", "Ann", "ann-word", "sAMAccountName: ann\nuserPrincipalName: ann@example.org\n"),
    person("bob", "Bob", "bob-word", "".join(f"description: {name}\n" for name in [
        "cn=first,ou=b,dc=x", "ou=unit,cn=second,dc=z", "uid=q+cn=multi,dc=z", "plain text", "CN=UPPER,dc=x", "cn=two\\, parts,dc=x", "ou=none,dc=z",
        "cn = spaced , dc=x", "cn=p1,cn=p2,dc=x", "notadn,cn=weird"])),
    person("twin1", "Twin", "twin-word", "employeeType: twin\n"),
    person("twin2", "Twin", "twin-word", "employeeType: twin\n"),
    f"dn: cn=service,{SUFFIX}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: service-word\n\n",
    group("Engineers", f"uid=ann,{PEOPLE}"),
    group("everybody", f"uid=ann,{PEOPLE}", f"uid=bob,{PEOPLE}"),
    f"dn: cn=posix,{GROUPS}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 500\nmemberUid: ann\n\n",
])


def make_certificates(folder):
    """A CA, a server certificate for 127.0.0.1, a client's by the same CA, and a CA that signed neither."""
    ca_key, ca = certificate("Test directory CA")
    _, stranger = certificate("Some other CA")
    server_key, server = certificate("localhost", issuer=(ca_key, ca))
    client_key, client = certificate("client", issuer=(ca_key, ca))
    for name, value in [("ca", ca), ("stranger", stranger), ("server", server), ("client", client)]:
        with open(os.path.join(folder, f"{name}.pem"), "wb") as file:
            file.write(value.public_bytes(serialization.Encoding.PEM))
    for name, key in [("server", server_key), ("client", client_key)]:
        plain = serialization.NoEncryption()
        with open(os.path.join(folder, f"{name}.key"), "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))


def certificate(name, issuer=None):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, by = issuer or (key, None)
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(by.subject if by else subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=2))
               .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
    if issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, builder.sign(signer, hashes.SHA256())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
