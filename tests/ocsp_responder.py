"""Responders of OCSP: one made with `cryptography`, which can lie, and that of OpenSSL."""
import datetime
import http.server
import os
import shutil
import socket
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from certificates import DAY, NOW

OPENSSL = shutil.which("openssl")


class Responder:
    """Answers about the certificates of one issuer. What it says and who signs it are the test's to change."""

    def __init__(self, issuer):
        self.issuer, self.signer, self.with_signer = issuer, issuer, False
        self.status, self.start, self.end, self.echo, self.asked = ocsp.OCSPCertStatus.GOOD, NOW - DAY, NOW + DAY, True, 0
        self.about, self.nonce, self.http_status, self.raw, self.spoil = None, None, 200, None, False
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_POST(self):
                responder.asked += 1
                body = responder.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(responder.http_status)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        if self.raw is not None:
            return self.raw
        question = ocsp.load_der_ocsp_request(request)
        serial = question.serial_number if self.about is None else self.about
        revoked = self.status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            question.issuer_name_hash, question.issuer_key_hash, serial, question.hash_algorithm, cert_status=self.status, this_update=self.start,
            next_update=self.end, revocation_time=NOW - DAY if revoked else None, revocation_reason=None)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.signer.certificate)
        if self.with_signer:
            builder = builder.certificates([self.signer.certificate])
        if self.echo:
            nonce = question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce if self.nonce is None else self.nonce
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        answer = builder.sign(self.signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        if self.spoil:
            answer = answer[:-1] + bytes([answer[-1] ^ 1])
        return answer

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class OpenSsl:
    """`openssl ocsp` over an index of what an authority has issued."""

    def __init__(self, folder, authority, signer, revoked, good):
        self.folder = folder
        index = ""
        for made in good:
            index += f"V\t{stamp(NOW + 30 * DAY)}\t\t{made.certificate.serial_number:040X}\tunknown\t/CN=x\n"
        for made in revoked:
            index += f"R\t{stamp(NOW + 30 * DAY)}\t{stamp(NOW - DAY)}\t{made.certificate.serial_number:040X}\tunknown\t/CN=x\n"
        (folder / "index.txt").write_text(index)
        (folder / "ca.pem").write_text(authority.pem)
        certificate, key = signer.files(folder, "signer")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [OPENSSL, "ocsp", "-port", str(self.port), "-index", folder / "index.txt", "-CA", folder / "ca.pem", "-rsigner", certificate, "-rkey", key, "-nmin", "60"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "LC_ALL": "C"})
        # It must not be tried by a connection that asks nothing: it would wait for the question for ever.
        while not self.process.stdout.readline().startswith("ACCEPT"):
            assert self.process.poll() is None, "openssl ocsp ended"

    def close(self):
        self.process.kill()
        self.process.wait()


def stamp(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%y%m%d%H%M%SZ")
