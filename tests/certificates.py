"""Certificates that tests make as they need them."""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


class Made:
    """A certificate with its key."""

    def __init__(self, certificate, key, issuer=None):
        self.certificate, self.key, self.issuer = certificate, key, issuer

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    def files(self, folder, name, *chain):
        """The paths of its certificate (with those of `chain` after it) and its key."""
        at = (folder / f"{name}.pem", folder / f"{name}.key")
        at[0].write_text("".join(made.pem for made in (self, *chain)))
        at[1].write_text(self.key_pem)
        return str(at[0]), str(at[1])


def name_of(common_name, units=()):
    parts = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    return x509.Name([*parts, *([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])])


def make(common_name, issuer=None, *, is_ca=False, key=None, units=(), dns=(), emails=(), uris=(), addresses=(), usage=(ExtendedKeyUsageOID.CLIENT_AUTH,),
         start=NOW - DAY, end=NOW + 30 * DAY, serial=None, path_length=None, extensions=(), ocsp=None, key_ids=True, ski=None, subject=None, digest=None,
         basic=True, can_sign=True):
    """A certificate; signed by itself without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = subject or name_of(common_name, units)
    signer = issuer.key if issuer else key
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.certificate.subject if issuer else subject)
    builder = builder.public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(end)
    if basic:
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
    names = [*map(x509.DNSName, dns), *map(x509.RFC822Name, emails), *map(x509.UniformResourceIdentifier, uris),
             *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage and not is_ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usage)), critical=False)
    if is_ca:
        builder = builder.add_extension(x509.KeyUsage(False, False, False, False, False, can_sign, True, False, False), critical=True)
    if key_ids:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(ski) if ski else x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        if issuer:
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    if ocsp:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.NameConstraints))
    kind = getattr(signer, "curve", None) or getattr(signer, "key_size", None)
    return Made(builder.sign(signer, digest or (hashes.SHA256() if kind else None)), key, issuer)


def crl(issuer, serials, start=NOW - DAY, end=NOW + DAY, number=1, key=None):
    """A list of what the issuer has revoked."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject).last_update(start).next_update(end)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(start).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(key or issuer.key, hashes.SHA256())


def extension(oid, value):
    """An extension of one's own: DER as it is, or text as an UTF8String."""
    if isinstance(value, str):
        value = bytes([12, len(value.encode())]) + value.encode()
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
