"""AWS on this machine: moto for what IAM, STS and EC2 know, an STS that verifies signatures as AWS does, and hosts that do harm."""
import base64
import contextlib
import datetime
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.parse

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from coffer_server import free_port, until

ACCOUNT, OTHER_ACCOUNT = "123456789012", "111122223333"
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
STS_URL = "https://sts.amazonaws.com/"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ADMIN = Credentials("AKIAADMIN00000000000", "admin-secret")


class Moto:
    """moto_server as a process. It knows users, roles and instances, and does not look at signatures."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = os.path.join(os.path.dirname(sys.executable), "moto_server")
        program = program if os.path.exists(program) else shutil.which("moto_server")
        with open(os.path.join(folder, "moto.log"), "ab") as log:
            self.process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=log)
        until(self._listens, 60, "moto listens")

    def client(self, service, credentials=ADMIN, region="us-east-1"):
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=credentials.access_key,
                            aws_secret_access_key=credentials.secret_key, aws_session_token=credentials.token)

    def user(self, name, path="/", credentials=ADMIN):
        """A user that did not exist, and a key of theirs."""
        iam = self.client("iam", credentials)
        user = iam.create_user(UserName=name, Path=path)["User"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return user, Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, name, path="/", credentials=ADMIN):
        return self.client("iam", credentials).create_role(RoleName=name, Path=path, AssumeRolePolicyDocument="{}")["Role"]

    def assume(self, arn, session="session"):
        made = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def reset(self):
        requests.post(f"{self.url}/moto-api/reset", timeout=10)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _listens(self):
        assert self.process.poll() is None, "moto ended"
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False


class Host:
    """A web server that keeps what it was asked."""

    def __init__(self, answer):
        self.asked = []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                host.asked.append((self.path, self.headers.items(), body))
                status, headers, answer_body = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {"Content-Type": "text/xml", "Content-Length": len(answer_body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(answer_body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Sts(Host):
    """GetCallerIdentity with signatures verified, by botocore's own rules. `keys` says whose they are."""

    def __init__(self):
        self.keys = {}
        super().__init__(self._answer)

    def add(self, access_key, secret_key, arn, user_id, token=None):
        self.keys[access_key] = (Credentials(access_key, secret_key, token), arn, user_id)
        return self.keys[access_key][0]

    def _answer(self, method, path, headers, body):
        seal = headers.get_all("Authorization") or []
        if method != "POST" or path != "/" or len(seal) != 1 or any(len(headers.get_all(name)) > 1 for name in headers):
            return refusal(403, "IncompleteSignature")
        parts = dict(part.strip().split("=", 1) for part in seal[0].split(" ", 1)[1].split(","))
        access_key, date, region, service, _ = parts["Credential"].split("/")
        if access_key not in self.keys:
            return refusal(403, "InvalidClientTokenId")
        credentials, arn, user_id = self.keys[access_key]
        moment = datetime.datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) > 900 or service != "sts":
            return refusal(403, "SignatureDoesNotMatch")
        request = AWSRequest(method, f"https://{headers['Host']}/", data=body)
        request.headers = {name: headers[name] for name in parts["SignedHeaders"].split(";") if name in headers}
        for name, value in request.headers.items():
            request.headers[name] = value
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = SigV4Auth(credentials, service, region)
        text = signer.string_to_sign(request, canonical(request, parts["SignedHeaders"], body))
        if signer.signature(text, request) != parts["Signature"] or headers.get("X-Amz-Security-Token") != credentials.token:
            return refusal(403, "SignatureDoesNotMatch")
        if urllib.parse.parse_qs(body.decode()) != {"Action": ["GetCallerIdentity"], "Version": ["2011-06-15"]}:
            return refusal(400, "InvalidAction")
        return 200, {}, identity(arn, user_id, arn.split(":")[4])


def canonical(request, signed, body):
    """A request in the one form that is signed."""
    fields = [f"{name}:{' '.join(request.headers[name].split())}" for name in signed.split(";")]
    return "\n".join([request.method, "/", "", *fields, "", signed, hashlib.sha256(body).hexdigest()])


def identity(arn, user_id, account):
    return (f'<GetCallerIdentityResponse xmlns="{NAMESPACE}"><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>{user_id}</UserId>'
            f"<Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>").encode()


def refusal(status, code):
    return status, {}, (f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>'
                        "<RequestId>r</RequestId></ErrorResponse>").encode()


def signed(credentials, url=STS_URL, body=BODY, region="us-east-1", headers=None, service="sts", method="POST"):
    """What a client brings: a request signed by botocore, as the fields of a login."""
    request = AWSRequest(method, url, data=body, headers={"Content-Type": FORM, **(headers or {})})
    SigV4Auth(credentials, service, region).add_auth(request)
    request.headers["Host"] = urllib.parse.urlparse(url).netloc
    return brought(url, body, dict(request.headers), method)


def brought(url, body, headers, method="POST"):
    return {"iam_http_request_method": method, "iam_request_url": encoded(url), "iam_request_body": encoded(body),
            "iam_request_headers": encoded(json.dumps({name: [value] for name, value in headers.items()}))}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def headers_of(login):
    return {name: value[0] for name, value in json.loads(base64.b64decode(login["iam_request_headers"])).items()}


def with_headers(login, change):
    """The same login with other header fields; the change is made after signing."""
    headers = headers_of(login)
    change(headers)
    return {**login, "iam_request_headers": encoded(json.dumps({name: [value] for name, value in headers.items()}))}
